"""The file that a command is given to read, `-` for standard input."""

import sys
from pathlib import Path

from domain.refusal import Refusal
from domain.strict_json import printable


def read(file: Path) -> bytes:
    """Its bytes, one more than an input may have at most, so that a larger one is refused for its size.

    Raises:
        Refusal: it cannot be read.
    """
    from workflows.payloads import MAX_INPUT_BYTES

    try:
        if str(file) == "-":
            return sys.stdin.buffer.read(MAX_INPUT_BYTES + 1)
        with file.open("rb") as source:
            return source.read(MAX_INPUT_BYTES + 1)
    except OSError as error:
        raise Refusal("FILE", f"{printable(str(file))} cannot be read: {error.strerror}") from None
