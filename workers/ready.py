"""How a worker tells whoever started it that it is at work: a file named after it, holding its process id.

`moot dev` and container health checks look at the file; it is written once the worker polls and has what it
needs, and removed when it stops.
"""

import os
from pathlib import Path


def announce(data: Path, name: str) -> None:
    """Say that this process, as the worker `name`, is ready; `data` is `Settings.data`."""
    file = _file(data, name)
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    fresh.write_text(str(os.getpid()), "ascii")
    fresh.replace(file)


def withdraw(data: Path, name: str) -> None:
    """Say that no worker of that name is ready any more."""
    _file(data, name).unlink(missing_ok=True)


def ready_pid(data: Path, name: str) -> int | None:
    """The process that last announced itself, which may be gone by now; None when none did."""
    try:
        return int(_file(data, name).read_text("ascii"))
    except (OSError, ValueError):
        return None


def _file(data: Path, name: str) -> Path:
    return data / "run" / f"{name}.ready"
