"""A node's outbox: its writes until they are on the log, and what it has of each key, in one SQLite file."""

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Self

from domain.context.state import Entry
from workers import outbox_file
from workers.outbox_changes import Changes, Mark, Unsent

_AT_ONCE_BYTES = 8 << 20


class Outbox:
    """One process has it open. `node` made every write in it, for `region`.

    `store` is for one thread; what only reads is for any others, who wait for each other. All of it raises
    `OutboxFault` where the file cannot be used.
    """

    def __init__(self, file: Path, region: str, node: str, handle: int) -> None:
        self._file, self._handle = file, handle
        self._reading_lock = threading.Lock()
        with outbox_file.faults_of(file):
            self._own, self._reading = outbox_file.connect(file), outbox_file.connect(file)
            outbox_file.settle(self._own, file, {"region": region, "node": node})
            self.waiting: int = self._own.execute("SELECT count(*) FROM unsent").fetchone()[0]
            self.last: int = self._own.execute("SELECT coalesce(max(seq), 0) FROM unsent").fetchone()[0]
            self.clock = outbox_file.clock(self._own)

    @classmethod
    def open(cls, file: Path, region: str, node: str, *, within: float = 0.0) -> Self:
        """Take the outbox for this process alone, and make it where there is none.

        Raises:
            OutboxTaken: another process has it open still after `within` seconds.
            Refusal: it is of another node.
            OSError: it cannot be used.
        """
        handle = outbox_file.claim(file, node, within)
        try:
            return cls(file, region, node, handle)
        except BaseException:
            os.close(handle)
            raise

    def close(self) -> None:
        """Let go of the file; only when nobody stores any more."""
        self._own.close()
        with self._reading_lock:
            self._reading.close()
        os.close(self._handle)

    def store(self, changes: Changes) -> None:
        """Do all of it, durably, or nothing.

        Raises:
            OutboxFault: nothing was done.
        """
        own = self._own
        with outbox_file.faults_of(self._file):
            own.execute("BEGIN IMMEDIATE")
            try:
                changes.apply(own)
                own.execute("COMMIT")
            except BaseException:
                if own.in_transaction:
                    own.execute("ROLLBACK")
                raise
        self.waiting += len(changes.unsent) - len(changes.sent)
        self.clock = max(self.clock, changes.clock)

    def unsent(self, most: int) -> list[Unsent]:
        """Whose turn it is: the highest priority first, within one the first that came; at most 8 MiB."""
        found: list[Unsent] = []
        size = 0
        query = "SELECT seq, priority, at_ms, stream, event FROM unsent ORDER BY priority DESC, seq LIMIT ?"
        with self._read() as reading, closing(reading.execute(query, (most,))) as rows:
            for row in rows:
                found.append(Unsent(*row))
                size += len(found[-1].event)
                if size >= _AT_ONCE_BYTES:
                    break
        return found

    def entries(self, streams: Iterable[str]) -> dict[str, Entry]:
        """What the node has of these keys, as far as it has any."""
        with self._read() as reading:
            return outbox_file.entries(reading, streams)

    def knows(self, streams: Iterable[str]) -> set[str]:
        """Those of the keys of which the node has anything."""
        with self._read() as reading:
            return outbox_file.known(reading, streams)

    def oldest(self) -> int | None:
        """When the write that waits longest was made, in Unix milliseconds; None where none waits."""
        with self._read() as reading:
            found: int | None = reading.execute("SELECT min(at_ms) FROM unsent").fetchone()[0]
            return found

    def marks(self) -> list[Mark]:
        """How far each file was imported."""
        with self._read() as reading:
            rows = reading.execute("SELECT digest, bytes, lines FROM imported ORDER BY bytes")
            return [Mark(*row) for row in rows]

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        with self._reading_lock, outbox_file.faults_of(self._file):
            yield self._reading
