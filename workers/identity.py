"""The key by which a node's clients are known: made once, kept in the node's own folder, never sent."""

import base64
import os
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.refusal import Refusal

FILE = "identity.key"
_BYTES = 32


def identity(folder: Path) -> Ed25519PrivateKey:
    """The Ed25519 key (RFC 8032) of the node whose folder this is; made, in mode 0600, where there is none.

    Two processes that come first at once have the same one.

    Raises:
        Refusal: the file is there and holds something else.
        OSError: it cannot be read or made.
    """
    file = folder / FILE
    if not file.exists():
        _make(file)
    raw = file.read_bytes()
    if len(raw) != _BYTES:
        raise Refusal("--folder", f"{file} holds {len(raw)} bytes and no key of {_BYTES}; put the key back")
    return Ed25519PrivateKey.from_private_bytes(raw)


def public_half(key: Ed25519PrivateKey) -> str:
    """The 32 bytes of the public key in base64, as `Client.identity` has it."""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def _make(file: Path) -> None:
    """Whole or not at all: it is given its name when its bytes are on the disk, if nobody was first."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, half = tempfile.mkstemp(dir=file.parent, prefix=f".{FILE}.")  # in mode 0600
    try:
        with os.fdopen(handle, "wb") as new:
            new.write(Ed25519PrivateKey.generate().private_bytes_raw())
            new.flush()
            os.fsync(new.fileno())
        try:
            os.link(half, file)
        except FileExistsError:
            return
        _sync(file.parent)
    finally:
        Path(half).unlink()


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
