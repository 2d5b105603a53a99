"""Text fields that have exactly one spelling, so that no byte of a proof can change unseen."""

import base64
import binascii

from domain.refusal import Refusal
from domain.strict_json import printable

_MOST_DIGITS = 18


def to_base64(raw: bytes) -> str:
    """RFC 4648, 4: the standard alphabet, padded."""
    return base64.b64encode(raw).decode("ascii")


def from_base64(text: str, field: str, size: int | None = None) -> bytes:
    """The bytes of canonical base64; loose bits in the last letter are refused too.

    Raises:
        Refusal: not canonical base64, or not `size` bytes.
    """
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if not raw or to_base64(raw) != text:
        raise Refusal(field, f"{printable(text, 48)!r} is not base64")
    if size is not None and len(raw) != size:
        raise Refusal(field, f"holds {len(raw)} bytes, not {size}")
    return raw


def from_decimal(text: str, field: str) -> int:
    """A count without sign, leading zeros or other scripts' digits.

    Raises:
        Refusal: anything else, or more than 18 digits.
    """
    plain = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    if not plain or str(int(text)) != text:
        raise Refusal(field, f"{printable(text, 24)!r} is not a decimal number")
    return int(text)
