"""Sums of encrypted numbers: CKKS (Cheon et al. 2017) by `tenseal`, which comes with the extra `encryption`.

Ring degree 8192, a modulus of 120 bits (218 would still have 128 bits of security), scale 2^50: a sum of
numbers between -1 and 1 is off by less than 1e-8 and may be as large as 500.
"""

import functools
import struct
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from activities.privacy.port import RoundLost
from domain.learning.fixed_point import Numbers
from domain.refusal import Refusal

DEGREE = 8192
SLOTS = DEGREE // 2
MODULI = (60, 60)
SCALE = 2.0**50
MOST = 400
"""Clients whose numbers can be summed below what the modulus leaves room for."""
_LENGTH = struct.Struct(">I")
_MAX_BYTES = 1 << 20
"""Of one ciphertext; they are a third of that."""


def tenseal() -> Any:
    """The library.

    Raises:
        Refusal: it is not installed.
    """
    try:
        import tenseal  # type: ignore[import-untyped,import-not-found,unused-ignore] # an extra, without types
    except ImportError:
        raise Refusal(
            "method", "homomorphic_encryption needs tenseal: pip install 'folkmoot[encryption]'"
        ) from None
    return tenseal


def make_key() -> bytes:
    """A new secret key, with its public one."""
    library = tenseal()
    made = library.context(library.SCHEME_TYPE.CKKS, DEGREE, coeff_mod_bit_sizes=list(MODULI))
    made.global_scale = SCALE
    return _written(made, secret=True)


@functools.cache
def _parameters() -> bytes:
    return public_half(make_key())


def public_half(key: bytes) -> bytes:
    """What encrypts and adds, and cannot decrypt."""
    return _written(tenseal().context_from(key), secret=False)


def is_public(context: bytes) -> bool:
    """Whether it is what `public_half` gives: these parameters, a public key, and no secret one."""
    try:
        read = tenseal().context_from(context)
        data = read.seal_context().data.key_context_data()
        parameters = data.parms() if callable(data.parms) else data.parms
        bits = data.total_coeff_modulus_bit_count
        found = (parameters.poly_modulus_degree(), bits() if callable(bits) else bits, read.global_scale)
        return bool(found == (DEGREE, sum(MODULI), SCALE) and read.has_public_key() and read.is_public())
    except (ValueError, RuntimeError):  # what the library says of other bytes
        return False


def encrypt(context: bytes, values: Numbers) -> bytes:
    """The numbers, `SLOTS` to a ciphertext; other bytes each time."""
    library = tenseal()
    public = library.context_from(context)
    parts = (values[at : at + SLOTS] for at in range(0, values.size, SLOTS))
    return _joined(library.ckks_vector(public, part).serialize() for part in parts)


def add(encrypted: Iterable[tuple[str, bytes]], size: int) -> bytes:
    """The encrypted sum of `size` numbers each; the words name whose they are. It takes no key.

    Raises:
        RoundLost: something is no ciphertext of that many numbers.
    """
    library = tenseal()
    public = library.context_from(_parameters())
    total: list[Any] = []
    for whose, content in encrypted:
        read = _vectors(public, content, size, whose)
        if total:
            for one, other in zip(total, read, strict=True):
                one += other  # noqa: PLW2901 # adds in place
        else:
            total = read
    return _joined(one.serialize() for one in total)


def decrypt(key: bytes, content: bytes, size: int) -> Numbers:
    """The numbers, a little off.

    Raises:
        RoundLost: it is no ciphertext of that many numbers.
    """
    parts: Sequence[Any] = _vectors(tenseal().context_from(key), content, size, "the sum")
    return np.concatenate([np.asarray(part.decrypt(), np.float64) for part in parts])


def _vectors(context: Any, content: bytes, size: int, whose: str) -> list[Any]:
    library, found = tenseal(), []
    try:
        found = [library.ckks_vector_from(context, part) for part in _split(content)]
        sizes = [part.size() for part in found if _is_ours(part)]
    except (ValueError, RuntimeError, struct.error):
        sizes = []
    if sizes != [min(SLOTS, size - at) for at in range(0, size, SLOTS)]:
        raise RoundLost(f"update of {whose}", f"is no encryption of {size} numbers under this key")
    return found


def _is_ours(vector: Any) -> bool:
    """Whether it is one ciphertext as `encrypt` makes it; the library adds no others, and says so late."""
    (one,) = vector.ciphertext()
    return bool(one.size() == 2 and one.scale == SCALE)  # noqa: PLR2004 # as long as when it was encrypted


def _joined(parts: Iterable[bytes]) -> bytes:
    return b"".join(_LENGTH.pack(len(part)) + part for part in parts)


def _split(content: bytes) -> list[bytes]:
    parts, at = [], 0
    while at < len(content):
        (length,) = _LENGTH.unpack_from(content, at)
        if length > _MAX_BYTES:
            raise ValueError(length)
        parts.append(bytes(content[at + _LENGTH.size : at + _LENGTH.size + length]))
        at += _LENGTH.size + length
    return parts


def _written(context: Any, *, secret: bool) -> bytes:
    written: bytes = context.serialize(
        save_public_key=True, save_secret_key=secret, save_galois_keys=False, save_relin_keys=False
    )
    return written
