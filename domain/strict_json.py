"""One strict reading of JSON text (RFC 8259), for every entrance: a file, a payload, an event."""

import json
import re
from typing import Any

from domain.refusal import Refusal

MAX_DEPTH = 64
_STRINGS = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?+', re.DOTALL)
"""Each as a whole, closed or not: a bracket within it counts for nothing."""
_BRACKETS = re.compile(r"[\[\]{}]")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""C0 and C1 controls but tab and line ends: they move a terminal's cursor and mean nothing in a text."""


def parse(text: bytes | str, *, what: str = "input", limit: int = 1 << 20) -> Any:
    """Read one JSON value of at most `limit` bytes.

    Raises:
        Refusal: it is too large, not UTF-8, not JSON, nested deeper than 64, repeats a key, or holds a
            NUL, a lone surrogate, NaN or an infinity: what Postgres, Kafka tools or JSON cannot hold.
    """
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(raw) > limit:
        raise Refusal(what, f"{len(raw)} bytes are too many, at most {limit} are read")
    try:
        decoded = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refusal(what, f"is not UTF-8 at byte {error.start}") from None
    # Counted first because the walk stops at every bracket: most texts have fewer of them than may be nested.
    if decoded.count("[") + decoded.count("{") > MAX_DEPTH and _depth(decoded) > MAX_DEPTH:
        raise Refusal(what, f"is nested deeper than {MAX_DEPTH}")
    try:
        value = _DECODER.decode(decoded)
    except json.JSONDecodeError as error:
        raise Refusal(what, f"is not JSON: {error.msg} at line {error.lineno} column {error.colno}") from None
    except Refusal as refusal:
        raise Refusal(what, str(refusal)) from None
    except ValueError:  # an integer of more than 4,300 digits
        raise Refusal(what, "holds a number too long to read") from None
    if "\\u" in decoded:  # UTF-8 and JSON let a NUL or a lone surrogate in by an escape only
        check_text(value, what)
    return value


def check_text(value: Any, where: str) -> None:
    """Refuse text that Postgres or UTF-8 cannot hold, anywhere inside a parsed value.

    Raises:
        Refusal: a string holds a NUL or a lone surrogate; named by its path.
    """
    if isinstance(value, str):
        if "\0" in value:
            raise Refusal(where, "holds a NUL character, which a database cannot store")
        if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
            raise Refusal(where, "holds a lone surrogate, which is not text")
    elif isinstance(value, dict):
        for key, item in value.items():
            check_text(key, where)
            check_text(item, f"{where}.{printable(key)}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            check_text(item, f"{where}[{index}]")


def printable(text: str, limit: int = 80) -> str:
    """`text` fit for a terminal or a log line: control and format characters escaped, cut at `limit`."""
    shown = text if len(text) <= limit else text[: limit - 1] + "…"
    if shown.isprintable():
        return shown
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown)


def _depth(text: str) -> int:
    depth = deepest = 0
    for c in _BRACKETS.findall(_STRINGS.sub("", text)):
        if c in "[{":
            depth += 1
            deepest = max(deepest, depth)
            if deepest > MAX_DEPTH:
                return deepest
        else:
            depth -= 1
    return deepest


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value] # set.add as a marker
        raise Refusal("", f"holds the field '{printable(twice)}' twice")
    return found


def _constant(name: str) -> float:
    raise Refusal("", f"holds {name}, which JSON does not have")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise Refusal("", f"holds {printable(text, 20)}, which is beyond a double's range")
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_constant, parse_float=_finite)
