"""How a worker tells whoever started it that it is at work: a file named after it and its process.

`moot dev` and container health checks look at the file; it is written once the worker polls and has what it
needs, and removed when it stops. Each process has its own, so that a second worker of the same name takes
nothing from the first. The file's time is the last sign of life: a process that hangs, or was stopped, lives
and does nothing.
"""

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from workers.embedded import stackfile

BEAT_SECONDS = 1.0
HUNG_SECONDS = 15.0
"""Without a sign of life for so long a worker is not at work; a busy machine delays one by some seconds."""


def announce(data: Path, name: str) -> None:
    """Say that this process, as the worker `name`, is ready; `data` is `Settings.data`."""
    file = _file(data, name, os.getpid())
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()


class Announcing:
    """Announces this process when it is called, and then each second as long as the event loop turns."""

    def __init__(self, data: Path, name: str) -> None:
        self._data, self._name = data, name
        self._beating = False

    def __call__(self) -> None:
        if not self._beating:  # a worker may be ready again and again, after each loss of a server
            self._beating = True
            self._beat()

    def _beat(self) -> None:
        with suppress(OSError):  # a full disk is no reason to stop, and the time of the file still changes
            announce(self._data, self._name)
        asyncio.get_running_loop().call_later(BEAT_SECONDS, self._beat)


def silent_seconds(data: Path, name: str, pid: int) -> float:
    """How long ago that process, as the worker `name`, gave a sign of life; infinite if it never did."""
    try:
        return max(0.0, time.time() - _file(data, name, pid).stat().st_mtime)
    except OSError:
        return float("inf")


def withdraw(data: Path, name: str) -> None:
    """Say that this process is ready no more."""
    _file(data, name, os.getpid()).unlink(missing_ok=True)


def clear(data: Path, name: str) -> None:
    """Forget the workers of that name that ended without a word: their numbers may come again."""
    for pid in _announced(data, name):
        if not stackfile.alive(pid):
            _file(data, name, pid).unlink(missing_ok=True)


def is_ready(data: Path, name: str, pid: int | None) -> bool:
    """Whether that process announced itself as the worker `name`; it may be gone by now."""
    return pid is not None and _file(data, name, pid).exists()


def ready_pid(data: Path, name: str) -> int | None:
    """The living process that announced itself last as the worker `name`; None when there is none."""
    living = [pid for pid in _announced(data, name) if stackfile.alive(pid)]
    return min(living, key=lambda pid: silent_seconds(data, name, pid), default=None)


def _announced(data: Path, name: str) -> Iterator[int]:
    for file in (data / "run").glob(f"{name}.*.ready"):
        pid = file.name.removeprefix(f"{name}.").removesuffix(".ready")
        if pid.isascii() and pid.isdigit():
            yield int(pid)


def _file(data: Path, name: str, pid: int) -> Path:
    return data / "run" / f"{name}.{pid}.ready"
