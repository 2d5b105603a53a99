"""A large cohort in parts, each of which sums its own updates securely."""

import hashlib
import math
from collections.abc import Sequence
from fractions import Fraction

MOST = 100
"""Clients in a shard: work and traffic of a secure sum grow with the square of it."""


def shards(clients: Sequence[str], seed: int, most: int = MOST) -> tuple[tuple[str, ...], ...]:
    """The clients in as few parts as hold at most `most` each, of equal size give or take one.

    Who is with whom follows from the seed and not from the order given: nobody chooses the neighbours that an
    update is hidden among. Each part is sorted.
    """
    drawn = sorted(set(clients), key=lambda client: hashlib.sha256(f"{seed}/{client}".encode()).digest())
    count = -(-len(drawn) // most)
    return tuple(tuple(sorted(drawn[part::count])) for part in range(count))


def needed(share: float, clients: int) -> int:
    """How many of the clients must be there to reveal a secure sum: more than `share` of them, or all.

    With the share at or above one half, no two disjoint groups can both reveal; at two thirds, no two sets of
    survivors are both vouched for while fewer than a third of the clients lie (Bonawitz et al. 2017, 6.2).
    """
    return min(clients, math.floor(Fraction(share).limit_denominator(10**6) * clients) + 1)
