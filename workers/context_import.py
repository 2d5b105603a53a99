"""A file of puts, one JSON object a line, taken over into a node's outbox; it goes on where it stopped."""

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from domain.context.commands import PutContext
from domain.refusal import Refusal
from domain.strict_json import parse, printable
from workers.context_putting import Writing
from workers.outbox_changes import Mark, Marks

_AT_ONCE = 1_000  # rows in one transaction
_CHUNK = 1 << 20
_LONGEST = 512 * 1024  # bytes of a line: a value of 64 KiB and its key, with every character escaped
_FIELDS: dict[str, tuple[tuple[type, ...], str]] = {
    "layer": ((str,), "text"),
    "key": ((str,), "text"),
    "value": ((object,), "any JSON"),
    "writer": ((str,), "text"),
    "flags": ((list,), "a list of flags"),
    "ttl_seconds": ((int, float, type(None)), "a number of seconds, or null for the layer's"),
    "if_version": ((str, type(None)), "a version, or null"),
}
_NEEDED = ("layer", "key", "value")


class BrokenRow(Refusal):
    """A row that cannot be taken; those before it are stored, it and those after it are not."""

    def __init__(self, line: int, refusal: Refusal) -> None:
        super().__init__(f"line {line}", str(refusal))


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: rows taken by this run, rows that were there from an earlier one."""

    rows: int
    before: int


@dataclass(frozen=True, slots=True)
class _Scanned:
    """How many lines a file has, and the marks of what was imported of it before, the furthest last."""

    lines: int
    marks: tuple[Mark, ...]


async def import_file(
    client: Writing,
    file: Path,
    writer: str,
    *,
    again: bool = False,
    progress: Callable[[int, int], None],
) -> Imported:
    """Put every row, in order, each once, however often the import is stopped and started.

    How far it is lies in the outbox, stored with the rows themselves, and known again by the SHA-256 of what
    was read so far: the rows behind may be mended, or more of them appended. An empty line is no row.

    Args:
        client: who writes.
        file: JSON lines.
        writer: of rows that name none.
        again: start anew, also a file that was imported before.
        progress: told lines done and lines in all.

    Raises:
        BrokenRow: the first row that cannot be taken.
        OSError: the file or the outbox cannot be used.
    """
    scanned = await asyncio.to_thread(_scan, file, await client.marks())
    furthest = None if again or not scanned.marks else scanned.marks[-1]
    replaced = tuple(mark.digest for mark in scanned.marks) if again else ()
    taken = 0
    with file.open("rb") as source:
        rows = _Rows(source, writer, furthest)
        while rows.next():
            try:
                outcomes = await client.put_many(rows.commands, marks=Marks(replaced, tuple(rows.marks)))
            finally:
                progress(rows.line, scanned.lines)
            refused = [one for one in outcomes if isinstance(one, Refusal)]
            taken += len(outcomes) - len(refused)
            if refused:
                raise BrokenRow(rows.lines[len(outcomes) - 1], refused[0])
            replaced = (rows.marks[-1].digest,)
    if rows.fault is not None:
        raise rows.fault
    return Imported(taken, furthest.lines if furthest else 0)


class _Rows:
    """Reads a file's rows from a mark on, some at a time: `commands`, their `lines`, and a mark after each.

    The first broken one is the `fault`, and ends it.
    """

    def __init__(self, source: BinaryIO, writer: str, mark: Mark | None) -> None:
        self._source, self._writer = source, writer
        self._digest = hashlib.sha256()
        self._bytes = 0
        self.line = 0
        self.fault: BrokenRow | None = None
        if mark is not None:
            for piece in _pieces(source, mark.bytes):
                self._digest.update(piece)
            self._bytes, self.line = mark.bytes, mark.lines

    def next(self) -> bool:
        """Read on; whether there is any row."""
        self.commands: list[PutContext] = []
        self.lines: list[int] = []
        self.marks: list[Mark] = []
        while self.fault is None and len(self.commands) < _AT_ONCE:
            text = self._source.readline(_LONGEST + 1)
            if not text:
                break
            self._read(text)
        return bool(self.commands)

    def _read(self, text: bytes) -> None:
        self.line += 1
        self._digest.update(text)
        self._bytes += len(text)
        if not text.strip():
            return
        try:
            self.commands.append(_command(text, self._writer))
        except Refusal as refusal:
            self.fault = BrokenRow(self.line, refusal)
        else:
            self.lines.append(self.line)
            self.marks.append(Mark(self._digest.hexdigest(), self._bytes, self.line))


def _command(text: bytes, writer: str) -> PutContext:
    row = parse(text, what="row", limit=_LONGEST)
    if not isinstance(row, dict):
        raise Refusal("row", f"is no JSON object with the fields {', '.join(_FIELDS)}")
    for name in row:
        if name not in _FIELDS:
            raise Refusal(printable(name, 40), f"is no field of a row, which are {', '.join(_FIELDS)}")
    for name in _NEEDED:
        if name not in row:
            raise Refusal(name, "is missing")
    for name, value in row.items():
        types, meaning = _FIELDS[name]
        if not isinstance(value, types) or (isinstance(value, bool) and name != "value"):
            raise Refusal(name, f"is not {meaning}")
    flags: list[Any] = row.pop("flags", [])
    if not all(isinstance(flag, str) for flag in flags):
        raise Refusal("flags", f"is not {_FIELDS['flags'][1]}")
    return PutContext(**{"writer": writer, **row}, flags=tuple(flags))


def _scan(file: Path, marks: Sequence[Mark]) -> _Scanned:
    """Read the file once; `marks` in the order of their bytes."""
    digest, lines, found, at = hashlib.sha256(), 0, [], 0
    with file.open("rb") as source:
        for mark in marks:
            for piece in _pieces(source, mark.bytes - at):
                digest.update(piece)
                lines += piece.count(b"\n")
                at += len(piece)
            if (at, digest.hexdigest()) == (mark.bytes, mark.digest):
                found.append(mark)
        last = b""
        while piece := source.read(_CHUNK):
            lines += piece.count(b"\n")
            last = piece
    return _Scanned(lines + (bool(last) and not last.endswith(b"\n")), tuple(found))


def _pieces(source: BinaryIO, size: int) -> Iterator[bytes]:
    while size > 0 and (piece := source.read(min(size, _CHUNK))):
        size -= len(piece)
        yield piece
