"""The folder of a node that trains: its journal and its key, for one process at a time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.refusal import Refusal
from domain.strict_json import printable
from workers.embedded import lock
from workers.identity import identity
from workers.journal import SqliteJournal

_OWNER = "node"


@dataclass(frozen=True, slots=True)
class NodeFolder:
    """What a node keeps: lost, the node is another one, and takes another id."""

    path: Path
    journal: SqliteJournal
    identity: Ed25519PrivateKey


@contextmanager
def claimed(path: Path, node: str) -> Iterator[NodeFolder]:
    """The folder of `node` for this process alone, made where there is none; the kernel frees it at its end.

    Raises:
        Refusal: another process has it, or it is another node's.
        OSError: it cannot be made or read.
    """
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = _locked(path / "lock", node)
    try:
        with SqliteJournal(path / "journal.db") as journal:
            _check_owner(path, journal, node)
            yield NodeFolder(path, journal, identity(path))
    finally:
        os.close(handle)


def _locked(file: Path, node: str) -> int:
    handle = lock.take(file, within=0.0)
    if handle is None:
        pid = printable(file.read_text("ascii", "replace"), 20) or "another"
        raise Refusal(
            "--id",
            f"process {pid} trains as {node} with this folder already: stop it, or take another --id",
        )
    os.ftruncate(handle, 0)
    os.pwrite(handle, str(os.getpid()).encode(), 0)
    return handle


def _check_owner(path: Path, journal: SqliteJournal, node: str) -> None:
    owner = journal.once_now(_OWNER, node.encode()).decode(errors="replace")
    if owner != node:
        raise Refusal("--folder", f"{path} is of the node {printable(owner, 40)}; give {node} one of its own")
