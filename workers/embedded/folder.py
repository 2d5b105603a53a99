"""The data folder of a stack: one stack at a time, and room to work in."""

import errno
import fcntl
import os
import shutil
import time
from pathlib import Path

from domain.refusal import Refusal
from workers.embedded import stackfile

LEAST_FREE = 300  # MiB: three fresh servers take 100 MiB, and then somebody wants to decide something
_OTHERS_END_WITHIN = 6.0  # seconds: the children of a killed stack live at most 5


def claim(data: Path) -> int:
    """Make the folder, lock it for this process, and return the lock's file descriptor.

    The lock is held as long as any process holds that descriptor. The guard does, so that after a `kill -9`
    the next start waits here until the last child of the stack before it is gone.

    Raises:
        Refusal: another stack runs on it, it cannot be written, or its disk is nearly full.
    """
    try:
        if not data.exists():
            data.mkdir(parents=True)
            data.chmod(0o711)  # PostgreSQL, which root runs as another user, must get through
        (data / "log").mkdir(exist_ok=True)
        (data / "run").mkdir(exist_ok=True)
        handle = os.open(data / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Refusal(
            "data", f"{data} cannot be written: {error.strerror}; name another with --data"
        ) from None
    try:
        _lock(handle, data)
        check_room(data)
    except Refusal:
        os.close(handle)
        raise
    os.ftruncate(handle, 0)
    os.pwrite(handle, str(os.getpid()).encode(), 0)
    return handle


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


def _lock(handle: int, data: Path) -> None:
    until = time.monotonic() + _OTHERS_END_WITHIN
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in {errno.EAGAIN, errno.EACCES}:
                raise Refusal(
                    "data", f"{data} cannot be locked: {error.strerror}; name another with --data"
                ) from None
        else:
            return
        pid = os.pread(handle, 20, 0).decode("ascii", "replace")
        if (pid.isdigit() and stackfile.alive(int(pid))) or time.monotonic() > until:
            raise Refusal(
                "data",
                f"process {pid} already runs a stack on {data}: use it, stop it, or name another with --data",
            )
        time.sleep(0.05)
