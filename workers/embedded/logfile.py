"""The log file of a child: bounded while it runs, and its last word for whoever asks why it ended."""

import contextlib
import os
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path

_LARGEST = 16 << 20  # bytes; a larger one makes room for a new one, and one old one is kept
_TAIL = 4096  # bytes
_LOOK_EVERY = 2.0  # seconds


def keep_bounded(logs: Sequence[Path], until: threading.Event) -> None:
    """Look after the logs of running children; returns when `until` is set."""
    while not until.wait(_LOOK_EVERY):
        for log in logs:
            with contextlib.suppress(OSError):  # it is looked at again in a moment
                turn(log)


def turn(log: Path) -> None:
    """Put what a large log holds aside, as `.1`, and empty it.

    Its writers need not know: whoever appends goes on at the new end, so a child whose output the log is, and
    that cannot be told to open another, is bounded too. A line of just this moment may be lost.
    """
    if not log.exists() or log.stat().st_size <= _LARGEST:
        return
    aside = log.with_name(f"{log.name}.1")
    aside.unlink(missing_ok=True)
    try:
        shutil.copyfile(log, aside)
    finally:
        os.truncate(log, 0)  # on a full disk above all


def last_line(log: Path) -> str:
    """What was said last, "" when nothing was."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
            lines = file.read().decode("utf-8", "replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
