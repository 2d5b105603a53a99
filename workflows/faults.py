"""What pydantic found wrong with an input, said in one line a person can act on."""

import dataclasses
import difflib
import typing
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from domain.refusal import Refusal
from domain.strict_json import printable

_SHOWN = 3
_LINE = 300

_MUST_BE = {
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "dataclass_type": "must be an object",
    "missing": "is missing",
    "missing_argument": "is missing",
}


class InputRefused(Refusal):
    """An input with one fault or more: its line names the first few, `faults` holds every one."""

    def __init__(self, faults: Sequence[Refusal]) -> None:
        first, *others = faults
        line = first.problem
        for said, other in enumerate(others, start=1):
            longer = f"{line}; {other}"
            if said >= _SHOWN or len(longer) > _LINE:
                line = f"{line}; and {len(faults) - said} more"
                break
            line = longer
        super().__init__(first.field, line)
        self.faults = tuple(faults)


def refused(error: ValidationError, expected: Any) -> InputRefused:
    """Every fault that pydantic found in what should have been an `expected`, read as `tuple[expected]`."""
    return InputRefused([_fault(item, expected) for item in error.errors(include_url=False)])


def _fault(item: ErrorDetails, expected: Any) -> Refusal:
    loc = item["loc"][1:]
    cause = item.get("ctx", {}).get("error")
    if isinstance(cause, Refusal):
        return Refusal(_path(loc, cause.field), cause.problem)
    return Refusal(_path(loc) or "input", _problem(item, loc, expected))


def _problem(item: ErrorDetails, loc: Sequence[str | int], expected: Any) -> str:
    kind = item["type"]
    if kind in ("unexpected_keyword_argument", "extra_forbidden"):
        return _unknown(str(loc[-1]), _type_at(expected, loc[:-1]))
    if kind == "literal_error":
        return f"must be {item['ctx']['expected']}"
    return _MUST_BE.get(kind) or item["msg"][:1].lower() + item["msg"][1:]


def _unknown(name: str, owner: Any) -> str:
    if not dataclasses.is_dataclass(owner):
        return "is not a field here"
    known = [field.name for field in dataclasses.fields(owner)]
    close = difflib.get_close_matches(name, known, n=1)
    meant = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
    return f"is not a field here; {meant}"


def _path(loc: Sequence[str | int], field: str = "") -> str:
    path = ""
    for part in (*loc, field) if field else loc:
        step = f"[{part}]" if isinstance(part, int) else printable(part, 40)
        path += step if not path or isinstance(part, int) else f".{step}"
    return path


def _type_at(expected: Any, loc: Sequence[str | int]) -> Any:
    """The type that belongs at `loc` inside `expected`, or None where the way there is not plain."""
    for part in loc:
        arms = [arm for arm in typing.get_args(expected) or (expected,) if arm not in (type(None), ...)]
        expected = arms[0] if len(arms) == 1 else None
        if isinstance(part, str):
            expected = typing.get_type_hints(expected).get(part) if expected else None
    args = [arm for arm in typing.get_args(expected) if arm not in (type(None), ...)]
    return args[0] if len(args) == 1 else expected
