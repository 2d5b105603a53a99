"""Reads the rows of a ballot table strictly, from CSV (RFC 4180) or JSON lines, each with its line."""

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

from domain import strict_json
from domain.refusal import Refusal

Row = tuple[int, str, str, str, float | None]
"""Physical line of the row's start, item, voter, choice, confidence."""

REQUIRED = ("item", "voter", "choice")
COLUMNS = (*REQUIRED, "confidence")
MAX_LINE = 16_384
_SHAPE = "the columns are item,voter,choice and optionally confidence"
_OBJECT = 'must be an object such as {"item": "1", "voter": "ann", "choice": "yes"}'
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_LINE_END = re.compile(rb"\r\n|\r|\n")


def csv_rows(raw: bytes) -> Iterator[Row]:
    """The rows under a header of exact names in any order; blank lines are passed over.

    Raises:
        Refusal: a fault, named by the physical line on which its row starts.
    """
    records = _records(_decoded(raw))
    line, header = next(records, (1, []))
    at = _positions(line, header)
    item, voter, choice, confidence = (at.get(name, -1) for name in COLUMNS)
    width = len(header)
    known: dict[str, float | None] = {}
    for line, row in records:
        if len(row) != width:
            raise Refusal(f"line {line}", f"has {_fields(len(row))} where the header names {width}")
        stated = None
        if confidence >= 0:
            text = row[confidence]
            if text not in known:
                known[text] = _confidence(line, text)
            stated = known[text]
        yield line, row[item], row[voter], row[choice], stated


def jsonl_rows(raw: bytes) -> Iterator[Row]:
    """One JSON object a line; names may be text or whole numbers; blank lines are passed over.

    Raises:
        Refusal: a fault, named by its line.
    """
    for line, text in enumerate(raw.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not text or text.isspace():
            continue
        where = f"line {line}"
        if text.lstrip().startswith(b"["):  # of an array over many lines, its first is no JSON by itself
            raise Refusal(where, f"is an array, {_OBJECT}")
        value = strict_json.parse(text, what=where, limit=MAX_LINE)
        if not isinstance(value, dict):
            raise Refusal(where, _OBJECT)
        _named_well(where, list(value), "field")
        item, voter, choice = (_name(where, field, value[field]) for field in REQUIRED)
        yield line, item, voter, choice, _share(where, value.get("confidence"))


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Refusal(f"line {line}", _csv_fault(str(error))) from None
        if record:
            yield line, record


def _csv_fault(message: str) -> str:
    if "end of data" in message:
        return "opens a quote that is never closed"
    if "field limit" in message:
        return "holds a field far too long, or opens a quote that is never closed"
    return 'holds a quote inside a quoted field that is not doubled; write "" for one quote'


def _decoded(raw: bytes) -> str:
    nul = raw.find(b"\0")
    if nul >= 0:
        raise Refusal(_line_at(raw, nul), "holds a NUL byte; save the table as UTF-8 text")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refusal(_line_at(raw, error.start), "is not UTF-8; save the table as UTF-8 text") from None


def _line_at(raw: bytes, position: int) -> str:
    return f"line {len(_LINE_END.findall(raw[:position])) + 1}"


def _positions(line: int, header: list[str]) -> dict[str, int]:
    if not header:
        raise Refusal("table", f"is empty; {_SHAPE}")
    names = [name.strip() for name in header]
    _named_well(f"line {line}", names, "column")
    return {name: position for position, name in enumerate(names)}


def _named_well(where: str, names: list[str], word: str) -> None:
    for name in names:
        if name not in COLUMNS:
            raise Refusal(where, f"unknown {word} '{strict_json.printable(name, 40)}'; {_SHAPE}")
        if names.count(name) > 1:
            raise Refusal(where, f"names the {word} {name} twice")
    for name in REQUIRED:
        if name not in names:
            raise Refusal(where, f"lacks the {word} {name}; {_SHAPE}")


def _fields(count: int) -> str:
    return f"{count} field" if count == 1 else f"{count} fields"


def _confidence(line: int, text: str) -> float | None:
    number = text.strip()
    if not number:
        return None
    if not _NUMBER.fullmatch(number):
        raise Refusal(
            f"line {line}, confidence",
            f"'{strict_json.printable(number, 40)}' is not a number from 0 to 1; leave it empty if unknown",
        )
    return _share(f"line {line}", float(number))


def _share(where: str, value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refusal(f"{where}, confidence", "must be a number from 0 to 1, or null")
    if not 0 <= value <= 1:
        shown = strict_json.printable(str(value), 24)
        raise Refusal(f"{where}, confidence", f"{shown} is outside 0 to 1")
    return float(value)


def _name(where: str, field: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise Refusal(f"{where}, {field}", "must be text or a whole number")
