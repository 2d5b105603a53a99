"""The file by which every `moot` command finds the stack that runs in its folder."""

import json
import os
from pathlib import Path
from typing import Any

from workers.embedded import folder, lock

NAME = "stack.json"


def write(data: Path, stack: dict[str, Any]) -> None:
    """Replace the file at once; only the owner may read it, since it holds the database's password."""
    fresh = data / f"{NAME}.{os.getpid()}"
    try:
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(stack, file, indent=1)
        fresh.replace(data / NAME)
    finally:
        fresh.unlink(missing_ok=True)  # only there when the disk is full


def read(data: Path) -> dict[str, Any] | None:
    """The running stack, or None when there is none: no file, a torn one, or nobody holds the folder.

    Its process id alone would not do: after a crash the number may be somebody else's.
    """
    try:
        stack = json.loads((data / NAME).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return stack if isinstance(stack, dict) and lock.held(folder.lock_file(data)) else None


def remove(data: Path) -> None:
    (data / NAME).unlink(missing_ok=True)


def alive(pid: object) -> bool:
    """Whether a process of that id exists, be it ours or another user's."""
    if not isinstance(pid, int) or isinstance(pid, bool) or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    except OverflowError:
        return False
    return True
