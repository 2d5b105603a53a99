"""What one transaction of an outbox does."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple

import msgspec

from domain.causality.hybrid_clock import ZERO, Timestamp
from domain.context.state import Entry

TABLES = """
CREATE TABLE stated (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE unsent (seq INTEGER PRIMARY KEY, priority INTEGER, at_ms INTEGER, stream TEXT, event BLOB);
CREATE INDEX sooner ON unsent (priority DESC, seq);
CREATE TABLE replica (stream TEXT PRIMARY KEY, entry BLOB NOT NULL);
CREATE TABLE imported (digest TEXT PRIMARY KEY, bytes INTEGER NOT NULL, lines INTEGER NOT NULL) WITHOUT ROWID;
"""
KEEP = "INSERT INTO stated VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
_WAIT = "INSERT INTO unsent VALUES {}"
_REPLICATE = "INSERT INTO replica VALUES {} ON CONFLICT (stream) DO UPDATE SET entry = excluded.entry"
_AT_ONCE = 100  # rows in one statement

_encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Entry).decode
"""An entry as the table `replica` has it."""


class Unsent(NamedTuple):
    """A write that waits: in the order of `seq` within its priority; then as the log takes it."""

    seq: int
    priority: int
    at_ms: int
    stream: str
    event: bytes


class Mark(NamedTuple):
    """How far a file was imported: so many bytes of this SHA-256, so many lines."""

    digest: str
    bytes: int
    lines: int


class Marks(NamedTuple):
    """How far a file is after each of some rows, and the digests of the marks that the new one replaces."""

    replaced: tuple[str, ...]
    after: tuple[Mark, ...]


@dataclass(slots=True)
class Changes:
    """What one transaction does."""

    unsent: list[Unsent] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    sent: list[int] = field(default_factory=list)
    clock: Timestamp = ZERO
    marks: list[Mark] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    """The digests of marks that go."""

    def apply(self, own: sqlite3.Connection) -> None:
        _insert(own, _WAIT, 5, self.unsent)
        _insert(own, _REPLICATE, 2, [(stream, _encode(entry)) for stream, entry in self.entries.items()])
        own.executemany("DELETE FROM unsent WHERE seq BETWEEN ? AND ?", _runs(self.sent))
        own.executemany("DELETE FROM imported WHERE digest = ?", ((digest,) for digest in self.replaced))
        own.executemany("INSERT OR REPLACE INTO imported VALUES (?, ?, ?)", self.marks)
        if self.clock > ZERO:
            own.execute(KEEP, ("clock", f"{self.clock.wall} {self.clock.logical}"))


def _insert(own: sqlite3.Connection, statement: str, columns: int, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert the rows, many by one statement: at each, Python lets go of its lock and has to wait for it."""
    one = f"({', '.join('?' * columns)})"
    many = statement.format(", ".join([one] * _AT_ONCE))
    whole = len(rows) - len(rows) % _AT_ONCE
    for first in range(0, whole, _AT_ONCE):
        own.execute(many, [*chain.from_iterable(rows[first : first + _AT_ONCE])])
    own.executemany(statement.format(one), rows[whole:])


def _runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """The numbers as runs without a gap, from the first of each to its last."""
    runs: list[tuple[int, int]] = []
    for number in sorted(numbers):
        first = runs.pop()[0] if runs and runs[-1][1] >= number - 1 else number
        runs.append((first, number))
    return runs
