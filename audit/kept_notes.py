"""Notes that somebody kept: a file of what `moot audit checkpoint` printed."""

from pathlib import Path

from audit.note import SIGNED
from domain.refusal import Refusal


def read(path: Path, field: str) -> list[tuple[str, str]]:
    """The notes of a file, each with the place where it was kept.

    Raises:
        Refusal: the file cannot be read, or holds no notes.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise Refusal(field, f"{path} cannot be read: {error.strerror}") from None
    return [(str(path), note) for note in split_notes(raw, field)]


def split_notes(raw: bytes, field: str) -> list[str]:
    """The notes of a file that holds several with an empty line between, as `moot audit checkpoint` prints.

    Raises:
        Refusal: it holds none, or is not made of texts and signatures in turn.
    """
    try:
        parts = raw.decode("utf-8").strip("\n").split("\n\n")
    except UnicodeDecodeError as error:
        raise Refusal(field, f"is not UTF-8 at byte {error.start}") from None
    texts, signatures = parts[::2], parts[1::2]
    if len(texts) != len(signatures) or not all(part.startswith(SIGNED) for part in signatures):
        raise Refusal(field, "holds no signed notes: `moot audit checkpoint` prints them")
    return [f"{text}\n\n{signed}\n" for text, signed in zip(texts, signatures, strict=True)]
