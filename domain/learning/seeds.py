"""Seeds that follow from a cycle's: the same again for the same place in it."""

import hashlib

from domain.learning.policy import MAX_SEED


def lot(seed: int, *place: str | int) -> bytes:
    """SHA-256 over the seed and the place, each part with its length before it: no two places collide."""
    parts = [str(part).encode() for part in (seed, *place)]
    return hashlib.sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()


def seed_of(seed: int, *place: str | int) -> int:
    """A whole number from 0 to 2^53 - 1, which JSON holds exactly."""
    return int.from_bytes(lot(seed, *place)[:8], "big") & MAX_SEED
