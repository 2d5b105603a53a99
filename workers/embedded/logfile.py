"""The log file of a child: bounded at each start, and its last word for whoever asks why it ended."""

import os
from pathlib import Path

_LARGEST = 16 << 20  # bytes; a larger one makes room for a new one, and one old one is kept
_TAIL = 4096  # bytes


def turn(log: Path) -> None:
    """Put a large log aside, as `.1`, before more is appended."""
    if log.exists() and log.stat().st_size > _LARGEST:
        log.replace(log.with_name(f"{log.name}.1"))


def last_line(log: Path) -> str:
    """What was said last, "" when nothing was."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
            lines = file.read().decode("utf-8", "replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
