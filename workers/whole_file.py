"""Writes a file whole or not at all, even if the machine dies."""

import contextlib
import os
import uuid


def write_whole(path: str, content: bytes) -> None:
    """Write beside, flush to the disk, rename."""
    beside = f"{path}.{uuid.uuid4().hex}.part"
    try:
        with open(beside, "wb") as file:  # noqa: PTH123 # fsspec speaks in strings
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)  # noqa: PTH105 # as above
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(beside)  # noqa: PTH108 # as above
        raise
    _settle(os.path.dirname(path))  # noqa: PTH120 # as above


def _settle(folder: str) -> None:
    """Make the renaming itself durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
