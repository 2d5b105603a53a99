"""Whether what an event holds fits a database: 64 bits for whole numbers, a depth for nested values.

JSON knows no bound of either.
"""

from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from domain.consensus.policy import Policy
from domain.strict_json import MAX_DEPTH

LOWEST, HIGHEST = -(2**63), 2**63 - 1

# Its own constructor takes no number beyond its ranges.
_BOUNDED_BY_ITSELF = Policy

Check = Callable[[Any], bool]


def check_for(hint: Any) -> Check | None:
    """A check of values of the type `hint`, prepared once; None where no whole number can occur."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    if is_dataclass(hint):
        return None if hint is _BOUNDED_BY_ITSELF else _fields(hint)
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        arms = [arm for arm in get_args(hint) if arm is not type(None)]
        check = next(filter(None, map(check_for, arms)), None)
        return _or_none(check if check is None or len(arms) == 1 else _json)
    if origin is tuple:
        return _each(check_for(get_args(hint)[0]))
    if origin in (dict, Mapping):
        return _values(check_for(get_args(hint)[1]))
    return None


def _fits(value: int) -> bool:
    return LOWEST <= value <= HIGHEST


def _json(value: Any, depth: int = 0) -> bool:
    """Whether any JSON value fits; true, which is a whole number to Python, does."""
    kind = type(value)
    if kind is int:
        return _fits(value)
    if kind is not dict and kind is not list:
        return True
    if value and depth >= MAX_DEPTH:
        return False
    for inner in value.values() if kind is dict else value:
        if type(inner) not in _FITTING and not _json(inner, depth + 1):  # most are leaves
            return False
    return True


_FITTING = frozenset({str, float, bool, type(None)})
_PLAIN: dict[Any, Check] = {int: _fits, Any: _json}


def _fields(cls: Any) -> Check | None:
    """All fields of a dataclass: written out, since a call for each takes twice as long, for every event."""
    hints = {name: hint for name, hint in get_type_hints(cls).items() if name in cls.__dataclass_fields__}
    scope: dict[str, Any] = {}
    tests = []
    for name, hint in hints.items():
        if hint is int:
            tests.append(f"{LOWEST} <= value.{name} <= {HIGHEST}")
        elif (check := check_for(hint)) is not None:
            scope[f"check_{name}"] = check
            tests.append(f"check_{name}(value.{name})")
    if not tests:
        return None
    exec(f"def fits(value):\n    return {' and '.join(tests)}", scope)  # noqa: S102 # our own names
    fits: Check = scope["fits"]
    return fits


def _or_none(check: Check | None) -> Check | None:
    return check and (lambda value: value is None or check(value))


def _each(check: Check | None) -> Check | None:
    return check and (lambda values: all(map(check, values)))


def _values(check: Check | None) -> Check | None:
    return check and (lambda values: not values or all(map(check, values.values())))
