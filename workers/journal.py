"""A node's journal: what it must not forget and not do twice, in one SQLite file that only it may read."""

import asyncio
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

_WAIT_SECONDS = 30.0  # for another process that is writing
_TABLE = "CREATE TABLE IF NOT EXISTS entry (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID"
_LAST = "\U0010ffff"  # sorts after whatever follows a prefix


class JournalFault(OSError):
    """The file could not be written or read: SQLite's reason, and which file. Nothing of it was done."""


class SqliteJournal:
    """See `activities.learning_ports.Journal`; several processes may have the same file open.

    With `synchronous=FULL` SQLite answers when the disk has it, so that neither kill -9 nor a power failure
    takes back what was promised. All of it raises `JournalFault` where the file cannot be used.
    """

    def __init__(self, file: Path) -> None:
        """Open the journal in `file`; it and its folder are made where there is none.

        Raises:
            JournalFault: it is no journal, or cannot be read.
            OSError: the folder or the file cannot be made.
        """
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.parent.chmod(0o700)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite itself would let everybody read it
        file.chmod(0o600)  # and gives the files beside it the same mode
        self._file = file
        self._one_at_a_time = threading.Lock()
        with self._faults():
            self._own = sqlite3.connect(
                file, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._own.execute("PRAGMA journal_mode=WAL")
            self._own.execute("PRAGMA synchronous=FULL")
            self._own.execute("PRAGMA secure_delete=ON")  # what is forgotten may be a key
            self._own.execute(_TABLE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with self._one_at_a_time:
            self._own.close()

    async def once(self, key: str, value: bytes) -> bytes:
        return await asyncio.to_thread(self.once_now, key, value)

    async def read(self, key: str) -> bytes | None:
        return await asyncio.to_thread(self._read, key)

    async def forget(self, prefix: str) -> None:
        await asyncio.to_thread(self._forget, prefix)

    def once_now(self, key: str, value: bytes) -> bytes:
        """As `once`, where no event loop turns yet."""
        with self._one_at_a_time, self._faults(), self._transaction():
            self._own.execute("INSERT INTO entry VALUES (?, ?) ON CONFLICT DO NOTHING", (key, value))
            return self._value(key) or b""

    def _read(self, key: str) -> bytes | None:
        with self._one_at_a_time, self._faults():
            return self._value(key)

    def _forget(self, prefix: str) -> None:
        with self._one_at_a_time, self._faults():
            with self._transaction():
                self._own.execute("DELETE FROM entry WHERE key >= ? AND key < ?", (prefix, prefix + _LAST))
            # The file of changes still holds what was there, until it is written over.
            self._own.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _value(self, key: str) -> bytes | None:
        row: Any = self._own.execute("SELECT value FROM entry WHERE key = ?", (key,)).fetchone()
        return None if row is None else bytes(row[0])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._own.execute("BEGIN IMMEDIATE")  # no other process writes between our look and our entry
        try:
            yield
            self._own.execute("COMMIT")
        except BaseException:
            if self._own.in_transaction:
                self._own.execute("ROLLBACK")
            raise

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise JournalFault(f"the journal {self._file} cannot be used: {error}") from error
