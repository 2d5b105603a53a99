"""Why a record's value is not an event of ours, in words that repeat nothing of what it holds."""

import json
import re

import msgspec

from domain.refusal import Refusal

# Only these parts of a library's message are ours to repeat: names and types out of the schema. Everything
# else in it may be the record's content.
_PATH = re.compile(r" - at (?:`key` in )?`\$\.?((?:[a-z_.]|\[\d+\]|\[\.\.\.\])*)`\Z")
_EXPECTED = re.compile(r"Expected `[a-z_| ]+`(?:, got `[a-z]+`| (?:of length )?[<>]=? -?\d+)?")
_MISSING = re.compile(r"Object missing required field `([a-z_]+)`")
_MALFORMED = re.compile(r"JSON is malformed: ([a-z0-9 -]+ \(byte \d+\))")
_FIELD = re.compile(r"[a-z_]{1,40}")
_OF_PATH = {
    "type": "is not in the catalogue",
    "id": "is not a UUID in lower case",
    "subject": "is not the name of a stream, <category>/<id>",
    "time": "is not a time in UTC (RFC 3339, ending in Z)",
}
_OF_START = {
    "Object contains unknown field": "has an attribute that is not ours",
    "Invalid enum value": "is none of the allowed values",
    "Number out of range": "is a number out of range",
    "Integer value out of range": "is a number out of range",
}


class Undecodable(Exception):
    """A value that no reader can take for an event.

    `reason` is one line that names the field and the fault and never repeats the content, so that it may be
    logged and shown.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def check_keys(value: bytes) -> None:
    """Refuse JSON in which an object has a key twice: one reader would take the first, another the last.

    Raises:
        Undecodable: it does.
    """
    # A third of the time of asking for every key; what has none twice mostly comes out as it went in.
    if msgspec.json.encode(msgspec.json.decode(value)) != value:
        json.loads(value, object_pairs_hook=_once, parse_int=str, parse_float=str)


def _once(pairs: list[tuple[str, object]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise Undecodable("holds a field twice")


def reason_of(error: Exception, within: str = "") -> str:
    """One line for what msgspec says of a value, or of its part `within`, with nothing of the value in it."""
    if isinstance(error, RecursionError):
        return "is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return f"is not UTF-8 at byte {error.start}"
    message = str(error)
    if not isinstance(error, msgspec.ValidationError):
        malformed = _MALFORMED.search(message)
        return f"is not JSON: {malformed[1]}" if malformed else "is cut short"
    found = _PATH.search(message)
    path = ".".join(filter(None, (within, found[1] if found else "")))
    cause = error.__cause__
    if isinstance(cause, Refusal) and _FIELD.fullmatch(cause.field):
        return f"{path}.{cause.field} has a value that is not allowed"
    return f"{path or 'the value'} {_OF_PATH.get(path) or _of_message(message)}"


def _of_message(message: str) -> str:
    if missing := _MISSING.match(message):
        return f"lacks the field {missing[1]}"
    if expected := _EXPECTED.match(message):
        return f"is wrong: {expected[0].replace('`', '').lower()}"
    return next(
        (problem for start, problem in _OF_START.items() if message.startswith(start)), "is not allowed"
    )
