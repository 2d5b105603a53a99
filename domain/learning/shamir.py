"""Secrets shared out so that a threshold of the shares gives them back and fewer say nothing.

Shamir, How to share a secret (1979), over the integers modulo 2^128 + 51, the least prime above 2^128.
"""

from collections.abc import Sequence
from functools import lru_cache
from operator import mul

from domain.refusal import Refusal

PRIME = 2**128 + 51
SECRET_BYTES = 16
_ROOM = 36
"""Bytes of a polynomial's value before it is reduced: up to 2^28 products of two numbers below `PRIME`."""
SHARE_BYTES = 17
"""A share may be as large as the prime, which needs one bit more than a secret."""


def split(secret: bytes, coefficients: Sequence[int], points: Sequence[int]) -> list[int]:
    """The shares of a 16-byte secret at `points`; one more than there are coefficients gives it back.

    Args:
        secret: 16 bytes, the value at 0.
        coefficients: uniform modulo `PRIME`, never used for another secret.
        points: distinct, 1 up to `PRIME`.
    """
    polynomial = [int.from_bytes(secret, "big"), *coefficients]
    values = sum(map(mul, polynomial, _powers(tuple(points), len(polynomial))))
    raw = values.to_bytes(len(points) * _ROOM, "little")
    return [int.from_bytes(raw[at : at + _ROOM], "little") % PRIME for at in range(0, len(raw), _ROOM)]


@lru_cache(maxsize=64)
def _powers(points: tuple[int, ...], count: int) -> tuple[int, ...]:
    """Each power of all the points, side by side in one number: one product serves them all."""
    rows, powers = [], [1] * len(points)
    for _ in range(count):
        rows.append(int.from_bytes(b"".join(power.to_bytes(_ROOM, "little") for power in powers), "little"))
        powers = [power * point % PRIME for power, point in zip(powers, points, strict=True)]
    return tuple(rows)


@lru_cache(maxsize=64)
def lagrange(points: tuple[int, ...]) -> tuple[int, ...]:
    """What each share at `points` counts for in the secret; made once for each set of survivors.

    Raises:
        Refusal: a point is there twice, or is none.
    """
    if len(set(points)) < len(points) or not all(0 < point < PRIME for point in points):
        raise Refusal("shares", "two are of one client, or one is of none: they give no secret")
    factors = []
    for point in points:
        above = below = 1
        for other in points:
            if other != point:
                above = above * other % PRIME
                below = below * (other - point) % PRIME
        factors.append(above * pow(below, -1, PRIME) % PRIME)
    return tuple(factors)


def combine(factors: Sequence[int], shares: Sequence[int]) -> bytes:
    """The secret, from shares in the order of the points that `factors` of `lagrange` are for.

    Raises:
        Refusal: what comes out is no secret, so that some share is not what was dealt.
    """
    if len(factors) != len(shares):
        raise Refusal("shares", f"{len(shares)} are given, and {len(factors)} are needed")
    value: int = sum(map(mul, factors, shares)) % PRIME
    if value >= 1 << (8 * SECRET_BYTES):
        raise Refusal("shares", "do not give a secret: some share is not the one that was dealt")
    return value.to_bytes(SECRET_BYTES, "big")
