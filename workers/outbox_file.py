"""The SQLite file of an outbox: whose it is, and what anyone may read of it."""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from domain.causality.hybrid_clock import Timestamp
from domain.context.state import Entry
from domain.refusal import Refusal
from domain.strict_json import printable
from workers.embedded import lock
from workers.outbox_changes import KEEP, TABLES, decode

_FORMAT = 1
_AMONG = "FROM replica WHERE stream IN (SELECT value FROM json_each(?))"


class OutboxFault(OSError):
    """The file could not be written or read: SQLite's reason, and which file. Nothing of it was done."""


class OutboxTaken(Refusal):
    """Another process has the outbox open."""


@contextmanager
def faults_of(file: Path) -> Iterator[None]:
    """Tell what SQLite says, and what does not decode, as an `OutboxFault`."""
    try:
        yield
    except (sqlite3.Error, msgspec.MsgspecError) as error:
        raise OutboxFault(f"the outbox {file} cannot be used: {error}") from error


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
    with (
        faults_of(file),
        closing(sqlite3.connect(file.absolute().as_uri() + "?mode=ro", uri=True)) as reading,
    ):
        return entries(reading, streams)


def entries(reading: sqlite3.Connection, streams: Iterable[str]) -> dict[str, Entry]:
    """What is there of these keys."""
    rows = reading.execute(f"SELECT stream, entry {_AMONG}", _names(streams))
    return {stream: decode(entry) for stream, entry in rows}


def known(reading: sqlite3.Connection, streams: Iterable[str]) -> set[str]:
    """Those of the keys of which there is anything."""
    return {stream for (stream,) in reading.execute(f"SELECT stream {_AMONG}", _names(streams))}


def connect(file: Path) -> sqlite3.Connection:
    """A connection to the file, which is made where there is none."""
    made = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    made.execute("PRAGMA journal_mode = WAL")
    # Every commit is on the disk before anything is answered, also should the machine lose its power.
    made.execute("PRAGMA synchronous = FULL")
    return made


def settle(own: sqlite3.Connection, file: Path, wanted: Mapping[str, str]) -> None:
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


def clock(own: sqlite3.Connection) -> Timestamp:
    """The latest time that the node sent or received anything."""
    wall, logical = (_stated(own).get("clock") or "0 0").split()
    return Timestamp(int(wall), int(logical))


def _stated(own: sqlite3.Connection) -> dict[str, str]:
    return dict(own.execute("SELECT name, value FROM stated").fetchall())


def _names(streams: Iterable[str]) -> tuple[str]:
    return (json.dumps([*streams]),)
