"""Locks on files that the kernel lets go when their holder is gone, however it went (flock)."""

import fcntl
import os
import time
from pathlib import Path

_LOOK_EVERY = 0.02  # seconds


def take(file: Path, within: float) -> int | None:
    """Lock `file` for as long as any process holds the file descriptor that is returned.

    None when somebody else held it for all of `within` seconds.
    """
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    until = time.monotonic() + within
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() < until:
                time.sleep(_LOOK_EVERY)
                continue
            os.close(handle)
            return None
        return handle


def held(file: Path) -> bool:
    """Whether somebody holds the lock now; looking never waits."""
    try:
        handle = os.open(file, os.O_RDONLY)
    except OSError:
        return False
    try:
        # Shared, so that two who look at the same time do not take each other for a holder.
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
