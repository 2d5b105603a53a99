"""What one transaction of an outbox does."""

import sqlite3
from dataclasses import dataclass, field
from typing import NamedTuple

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
_REPLICATE = "INSERT INTO replica VALUES (?, ?) ON CONFLICT (stream) DO UPDATE SET entry = excluded.entry"

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
        own.executemany("INSERT INTO unsent VALUES (?, ?, ?, ?, ?)", self.unsent)
        own.executemany(_REPLICATE, ((stream, _encode(entry)) for stream, entry in self.entries.items()))
        own.executemany("DELETE FROM unsent WHERE seq = ?", ((seq,) for seq in self.sent))
        own.executemany("DELETE FROM imported WHERE digest = ?", ((digest,) for digest in self.replaced))
        own.executemany("INSERT OR REPLACE INTO imported VALUES (?, ?, ?)", self.marks)
        if self.clock > ZERO:
            own.execute(KEEP, ("clock", f"{self.clock.wall} {self.clock.logical}"))
