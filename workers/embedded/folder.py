"""The data folder of a stack: one stack at a time, and room to work in."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from domain.refusal import Refusal
from domain.strict_json import printable
from workers.embedded import lock

LEAST_FREE = 300  # MiB: three fresh servers take 100, and then somebody wants to decide something
LEAST_TO_GO_ON = 50  # MiB: what died of a full disk is not started again before
# Long enough for a command that is just looking whether a stack runs, short enough for an answer at once.
_LOOKED_AT_FOR = 0.3  # seconds
_OTHERS_END_WITHIN = 6.0  # seconds: the children of a killed stack live at most 5
_WAY_OUT = "use it, stop it, or name another folder with --data"


@dataclass(frozen=True, slots=True)
class Claim:
    """File descriptors whose locks say that a stack runs, and that children of one run.

    `own` is this process's alone. `children` is the guard's too, which outlives a `kill -9`: the next start
    waits for it, and so for the last child of the stack before.
    """

    own: int
    children: int

    def release(self) -> None:
        os.close(self.own)
        os.close(self.children)


def claim(data: Path) -> Claim:
    """Make the folder and lock it for this process.

    Raises:
        Refusal: another stack runs on it, it cannot be written, its disk is nearly full, or a file in it is a
            link to somewhere else.
    """
    try:
        _make(data)
        _check_links(data)
        own = lock.take(lock_file(data), _LOOKED_AT_FOR)
    except OSError as error:
        raise _unusable(data, error) from None
    if own is None:
        pid = lock_file(data).read_text("ascii", "replace")
        raise Refusal("data", f"process {pid} runs a stack on {data}: {_WAY_OUT}")
    try:
        check_room(data)
        os.ftruncate(own, 0)
        os.pwrite(own, str(os.getpid()).encode(), 0)
        return Claim(own, _claim_children(data))
    except OSError as error:
        os.close(own)
        raise _unusable(data, error) from None
    except Refusal:
        os.close(own)
        raise


def lock_file(data: Path) -> Path:
    """Whose lock says that a stack runs on the folder; it holds the process id."""
    return data / "lock"


def check_room(data: Path) -> None:
    """Refuse to work on a disk that is nearly full: Kafka and Postgres stop hard when it is.

    Raises:
        Refusal: less than 300 MiB are free.
    """
    free = free_mib(data)
    if free < LEAST_FREE:
        raise Refusal(
            "data",
            f"only {free} MiB are free on the disk of {data}, at least {LEAST_FREE} are needed: "
            "make room, or name another folder with --data",
        )


def free_mib(data: Path) -> int:
    return shutil.disk_usage(data).free >> 20


def _make(data: Path) -> None:
    if not data.exists():
        data.mkdir(parents=True)
        data.chmod(0o711)  # PostgreSQL, which root runs as another user, must get through
    (data / "log").mkdir(mode=0o700, exist_ok=True)
    (data / "run").mkdir(mode=0o700, exist_ok=True)


def _check_links(data: Path) -> None:
    # Who unpacks or clones a folder of somebody else's must not have his own files written over by it.
    for file in (*data.iterdir(), *(data / "log").iterdir(), *(data / "run").iterdir()):
        if file.is_symlink() and not file.is_dir():
            name = printable(str(file), 200)
            raise Refusal("data", f"{name} is a link, and nothing is written through one; remove it")


def _claim_children(data: Path) -> int:
    handle = lock.take(data / "children.lock", _OTHERS_END_WITHIN)
    if handle is None:
        raise Refusal("data", f"children of a stack that was killed still run on {data}: {_WAY_OUT}")
    return handle


def _unusable(data: Path, error: OSError) -> Refusal:
    return Refusal("data", f"{data} cannot be used: {error.strerror}; name another folder with --data")
