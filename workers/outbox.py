"""A node's outbox: its writes until they are on the log, and what it has of each key, in one SQLite file."""

import json
import os
import sqlite3
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

import msgspec

from domain.causality.hybrid_clock import Timestamp
from domain.context.state import Entry
from domain.refusal import Refusal
from domain.strict_json import printable
from workers.embedded import lock
from workers.outbox_changes import KEEP, TABLES, Changes, Mark, Unsent, decode

_FORMAT = 1
_AT_ONCE_BYTES = 8 << 20
_AMONG = "FROM replica WHERE stream IN (SELECT value FROM json_each(?))"


class OutboxFault(OSError):
    """The file could not be written or read: SQLite's reason, and which file. Nothing of it was done."""


class OutboxTaken(Refusal):
    """Another process has the outbox open."""


class Outbox:
    """One process has it open. `node` made every write in it, for `region`.

    `store` is for one thread, `unsent` and `entries` for any other one at a time.
    """

    def __init__(self, file: Path, region: str, node: str, handle: int) -> None:
        self._file, self._handle = file, handle
        self._reading_lock = threading.Lock()
        try:
            self._own, self._reading = _connect(file), _connect(file)
            _settle(self._own, file, {"region": region, "node": node})
            self.waiting: int = self._own.execute("SELECT count(*) FROM unsent").fetchone()[0]
            self.last: int = self._own.execute("SELECT coalesce(max(seq), 0) FROM unsent").fetchone()[0]
            self.clock = _clock(self._own)
        except sqlite3.Error as error:
            raise _fault(file, error) from error

    @classmethod
    def open(cls, file: Path, region: str, node: str, *, within: float = 0.0) -> Self:
        """Take the outbox for this process alone, and make it where there is none.

        Raises:
            OutboxTaken: another process has it open still after `within` seconds.
            Refusal: it is of another node.
            OSError: it cannot be used.
        """
        handle = claim(file, node, within)
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
        try:
            own.execute("BEGIN IMMEDIATE")
            try:
                changes.apply(own)
                own.execute("COMMIT")
            except BaseException:
                if own.in_transaction:
                    own.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise _fault(self._file, error) from error
        self.waiting += len(changes.unsent) - len(changes.sent)
        self.clock = max(self.clock, changes.clock)

    def unsent(self, most: int) -> list[Unsent]:
        """Whose turn it is: the highest priority first, within one the first that came; at most 8 MiB."""
        found: list[Unsent] = []
        size = 0
        with self._reading_lock:
            try:
                rows = self._reading.execute(
                    "SELECT seq, priority, at_ms, stream, event FROM unsent"
                    " ORDER BY priority DESC, seq LIMIT ?",
                    (most,),
                )
                for row in rows:
                    found.append(Unsent(*row))
                    size += len(found[-1].event)
                    if size >= _AT_ONCE_BYTES:
                        break
                rows.close()
            except sqlite3.Error as error:
                raise _fault(self._file, error) from error
        return found

    def entries(self, streams: Iterable[str]) -> dict[str, Entry]:
        """What the node has of these keys, as far as it has any."""
        with self._reading_lock:
            return _entries(self._reading, self._file, streams)

    def knows(self, streams: Iterable[str]) -> set[str]:
        """Those of the keys of which the node has anything."""
        return {stream for (stream,) in self._rows(f"SELECT stream {_AMONG}", _names(streams))}

    def oldest(self) -> int | None:
        """When the write that waits longest was made, in Unix milliseconds; None where none waits."""
        found: int | None = self._rows("SELECT min(at_ms) FROM unsent")[0][0]
        return found

    def marks(self) -> list[Mark]:
        """How far each file was imported."""
        return [Mark(*row) for row in self._rows("SELECT digest, bytes, lines FROM imported ORDER BY bytes")]

    def _rows(self, query: str, arguments: tuple[str, ...] = ()) -> list[tuple[Any, ...]]:
        with self._reading_lock:
            try:
                return self._reading.execute(query, arguments).fetchall()
            except sqlite3.Error as error:
                raise _fault(self._file, error) from error


def claim(file: Path, node: str, within: float) -> int:
    """The file descriptor whose lock says that this process has the outbox.

    Raises:
        OutboxTaken: another process has it, also after `within` seconds.
        OSError: its folder cannot be made.
    """
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = file.with_suffix(".lock")
    handle = lock.take(beside, within)
    if handle is None:
        pid = printable(beside.read_text("ascii", "replace"), 20) or "another"
        raise OutboxTaken(
            "node", f"process {pid} has the outbox of {node} open: wait for it, or name another with --node"
        )
    os.ftruncate(handle, 0)
    os.pwrite(handle, str(os.getpid()).encode(), 0)
    return handle


def replica(file: Path, streams: Iterable[str]) -> dict[str, Entry]:
    """What the node of that outbox has of these keys, whoever has it open; nothing where there is none."""
    if not file.exists():
        return {}
    try:
        reading = sqlite3.connect(file.absolute().as_uri() + "?mode=ro", uri=True)
    except sqlite3.Error as error:
        raise _fault(file, error) from error
    try:
        return _entries(reading, file, streams)
    finally:
        reading.close()


def _entries(reading: sqlite3.Connection, file: Path, streams: Iterable[str]) -> dict[str, Entry]:
    found = {}
    try:
        for stream, entry in reading.execute(f"SELECT stream, entry {_AMONG}", _names(streams)):
            found[stream] = decode(entry)
    except (sqlite3.Error, msgspec.MsgspecError) as error:
        raise _fault(file, error) from error
    return found


def _names(streams: Iterable[str]) -> tuple[str]:
    return (json.dumps([*streams]),)


def _connect(file: Path) -> sqlite3.Connection:
    made = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    made.execute("PRAGMA journal_mode = WAL")
    # Every commit is on the disk before anything is answered, also should the machine lose its power.
    made.execute("PRAGMA synchronous = FULL")
    return made


def _settle(own: sqlite3.Connection, file: Path, wanted: Mapping[str, str]) -> None:
    """Make the tables, once; refuse a file that is of another node, or of another version of ours."""
    version = own.execute("PRAGMA user_version").fetchone()[0]
    if version == 0:
        own.executescript(f"BEGIN IMMEDIATE; {TABLES} PRAGMA user_version = {_FORMAT};")
        own.executemany(KEEP, wanted.items())
        own.execute("COMMIT")
    elif version != _FORMAT:
        raise Refusal("outbox", f"{file} has the format {version}, and this version reads {_FORMAT}")
    stated = _stated(own)
    for name, value in wanted.items():
        if stated.get(name) != value:
            raise Refusal(name, f"{file} is the outbox of {stated.get(name)}, not of {value}")


def _clock(own: sqlite3.Connection) -> Timestamp:
    wall, logical = (_stated(own).get("clock") or "0 0").split()
    return Timestamp(int(wall), int(logical))


def _stated(own: sqlite3.Connection) -> dict[str, str]:
    return dict(own.execute("SELECT name, value FROM stated").fetchall())


def _fault(file: Path, error: Exception) -> OutboxFault:
    return OutboxFault(f"the outbox {file} cannot be used: {error}")
