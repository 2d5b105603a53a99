"""One text for each JSON value, so that equal values have equal bytes and equal hashes everywhere."""

import json
import re
from collections.abc import Iterable
from typing import Any

from domain.refusal import Refusal
from domain.strict_json import MAX_DEPTH, check_text, printable

MAX_VALUE_BYTES = 64 * 1024
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1
_SURROGATE = re.compile("[\ud800-\udfff]")

_write = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode


def canonical(value: Any) -> str:
    """`value` as JSON: keys sorted by code point, no spaces, numbers as Python's shortest. 1 is not 1.0."""
    return _write(value)


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same. Unlike `==`, it tells True, 1 and 1.0 apart."""
    if one is other:
        return True
    if one != other:  # takes too much for equal, never too little
        return False
    return alike(one, other)


def alike(one: Any, other: Any) -> bool:
    """Whether two JSON values that are equal to Python are the same: by type, and 0.0 is not -0.0."""
    kind = type(one)
    if kind is not type(other):
        return False
    if kind is dict:
        return _all_alike((value, other[key]) for key, value in one.items())
    if kind is list:
        return _all_alike(zip(one, other, strict=True))
    return kind is not float or repr(one) == repr(other)


def _all_alike(pairs: Iterable[tuple[Any, Any]]) -> bool:
    for one, other in pairs:
        if one is not other and type(one) is not str and not alike(one, other):
            return False  # nothing but a text equals a text
    return True


def check_value(value: Any, field: str = "value") -> None:
    """Refuse what is no JSON value of at most 64 KiB in canonical form.

    Raises:
        Refusal: it is too large, nested deeper than 64, or holds what JSON or a database cannot: another
            type, a key that is no text, NaN, an infinity, a whole number of more than 64 bits, a NUL.
    """
    if not is_plain(value):  # else nothing of what follows can be wrong with it
        _check(value, field, 0)
        check_text(value, field)
    size = len(canonical(value).encode())
    if size > MAX_VALUE_BYTES:
        raise Refusal(
            field,
            f"has {size} bytes as JSON, at most {MAX_VALUE_BYTES} are shared; store it and share a link",
        )


def is_plain(value: Any, depth: int = 0) -> bool:
    """Whether a value is surely sound, in a part of the time that it takes to name what is not."""
    kind: type[Any] = type(value)
    if kind is str:
        return _is_text(value)
    if kind is int:
        return bool(_LOWEST <= value <= _HIGHEST)
    if kind is float:
        return bool(abs(value) < float("inf"))
    if depth >= MAX_DEPTH or (kind is not dict and kind is not list):
        return kind in _CERTAIN
    for inner in value.values() if kind is dict else value:
        if type(inner) not in _CERTAIN and not is_plain(inner, depth + 1):
            return False
    return kind is list or all(map(_is_text, value))


_CERTAIN = frozenset({bool, type(None)})


def _is_text(text: Any) -> bool:
    return type(text) is str and "\0" not in text and (text.isascii() or not _SURROGATE.search(text))


def _check(value: Any, where: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise Refusal(where[:80], f"is nested deeper than {MAX_DEPTH}")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise Refusal(where, f"has a key that is no text: {printable(repr(key), 40)}")
            _check(item, f"{where}.{printable(key)}", depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check(item, f"{where}[{index}]", depth + 1)
    else:
        _check_scalar(value, where)


def _check_scalar(value: Any, where: str) -> None:
    if isinstance(value, float):
        if not abs(value) < float("inf"):
            raise Refusal(where, f"holds {value}, which JSON does not have")
    elif isinstance(value, int):
        if not _LOWEST <= value <= _HIGHEST:
            raise Refusal(where, "holds a whole number of more than 64 bits; write it as text")
    elif value is not None and not isinstance(value, str):
        raise Refusal(where, f"holds a {type(value).__name__}, which JSON does not have")
