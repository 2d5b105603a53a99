"""How a worker tells whoever started it that it is at work: a file named after it and its process.

`moot dev` and container health checks look at the file; it is written once the worker polls and has what it
needs, and removed when it stops. Each process has its own, so that a second worker of the same name takes
nothing from the first.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from workers.embedded import stackfile


def announce(data: Path, name: str) -> None:
    """Say that this process, as the worker `name`, is ready; `data` is `Settings.data`."""
    file = _file(data, name, os.getpid())
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()


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
    """A living process that announced itself as the worker `name`; None when there is none."""
    return next((pid for pid in _announced(data, name) if stackfile.alive(pid)), None)


def _announced(data: Path, name: str) -> Iterator[int]:
    for file in (data / "run").glob(f"{name}.*.ready"):
        pid = file.name.removeprefix(f"{name}.").removesuffix(".ready")
        if pid.isascii() and pid.isdigit():
            yield int(pid)


def _file(data: Path, name: str, pid: int) -> Path:
    return data / "run" / f"{name}.{pid}.ready"
