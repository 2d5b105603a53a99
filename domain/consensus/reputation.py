"""A voter's standing on a topic: what final rulings said of its first-round ballots, fading with time.

A Beta reputation (A. Josang and R. Ismail, "The beta reputation system", 2002) under forward decay
(G. Cormode, V. Shkapenyuk, D. Srivastava and B. Xu, "Forward decay: a practical time decay model for
streaming systems", ICDE 2009): a ruling adds 2^(its time / half-life), a standing divides by
2^(now / half-life). The sums are whole numbers, so they come out the same in whatever order rulings
arrive and on any machine.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from domain.consensus.events import Score
from domain.refusal import Refusal

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
HALF_LIFE = timedelta(days=90)
ONE = 1 << 20
"""What a ruling at `EPOCH` adds; one 2**20th is the finest step of a sum."""
EQUIVOCATION = 2
"""Two ballots in one round weigh as two wrong ones, whatever they said and whatever the ruling is."""
MOST = 1 << 53
"""Rulings above which a standing is as firm as it gets, so that no date of an event can overflow it."""
PRIOR = (1.0, 1.0)
LEAST = 1e-6
"""The weight of the worst standing: a panel whose weights are all nothing could not be counted."""
_TICK = timedelta(microseconds=1)
_UNIX_EPOCH = (EPOCH - datetime(1970, 1, 1, tzinfo=UTC)) // _TICK
_HALF_LIFE = HALF_LIFE // _TICK
_FURTHEST = (datetime.max.replace(tzinfo=UTC) - EPOCH) // _TICK
_BITS = 64


@dataclass(frozen=True, slots=True)
class Evidence:
    """Sums over rulings, which may be added up in any order.

    `right`, `wrong` are in units of `contribution`. `brier` sums the Brier scores of the `stated`
    confidences, in units of 1 / `ONE`, and does not fade.
    """

    right: int = 0
    wrong: int = 0
    brier: int = 0
    stated: int = 0

    def __add__(self, other: "Evidence") -> "Evidence":
        return Evidence(
            self.right + other.right,
            self.wrong + other.wrong,
            self.brier + other.brier,
            self.stated + other.stated,
        )


def evidence(score: Score, at: datetime | float) -> Evidence:
    """What one voter's score in a ruling of time `at` adds to its sums on the ruling's topic.

    An equivocation counts as wrong `EQUIVOCATION` times. An abstention (`right` is null) adds nothing. Of a
    confidence, the Brier score is taken in its two-outcome form: (confidence - right)^2 (G. W. Brier,
    Monthly Weather Review 78, 1950), right being 1 or 0 for the one choice the voter was confident of.
    """
    unit = contribution(at)
    if score.equivocated:
        return Evidence(wrong=EQUIVOCATION * unit)
    if score.right is None:
        return Evidence()
    brier = stated = 0
    if score.confidence is not None:
        miss = score.confidence - score.right
        brier, stated = round(miss * miss * ONE), 1
    return Evidence(unit if score.right else 0, 0 if score.right else unit, brier, stated)


def contribution(at: datetime | float) -> int:
    """What one ruling adds: 2^((at - EPOCH) / HALF_LIFE) * 2^20, rounded.

    `at` is a time with a zone, or seconds since 1970. The power is taken in whole numbers alone, to 60 bits:
    `math.exp2` may differ in its last bit from machine to machine, and so would the sums and their hashes.

    Raises:
        Refusal: the time lies beyond the year 9999 or as far before the epoch.
    """
    return _contribution(_ticks(at))


def standing(right: int, wrong: int, at: datetime | float) -> tuple[float, float]:
    """The Beta(alpha, beta) of a voter with these sums at this time; with none the prior, Beta(1, 1)."""
    unit = max(contribution(at), 1)
    return PRIOR[0] + min(right, MOST * unit) / unit, PRIOR[1] + min(wrong, MOST * unit) / unit


def mean(alpha: float, beta: float) -> float:
    """The expected share of right ballots, in (0, 1)."""
    share = alpha / (alpha + beta)
    return min(max(share, math.ulp(0.5)), 1 - math.ulp(0.5))


def weight(expected: float | None) -> float:
    """What a voter weighs under `reputation`, to six decimals; `expected` is its `mean`, null without one."""
    return max(LEAST, round(mean(*PRIOR) if expected is None else expected, 6))


def mean_brier(sums: Evidence) -> float | None:
    """The mean Brier score of the stated confidences: 0 perfect, 1 sure of the wrong; null if none."""
    return sums.brier / (sums.stated * ONE) if sums.stated else None


def _ticks(at: datetime | float) -> int:
    if isinstance(at, datetime):
        return (at - EPOCH) // _TICK
    seconds = float(at)
    if not abs(seconds) * 1e6 <= _FURTHEST:
        raise Refusal("at", f"{seconds} seconds since 1970 is no time before the year 10000")
    return round(seconds * 1e6) - _UNIX_EPOCH


@lru_cache(maxsize=1024)
def _contribution(ticks: int) -> int:
    halvings, rest = divmod(ticks, _HALF_LIFE)
    fraction = (rest << _BITS) // _HALF_LIFE
    power = 1 << 2 * _BITS
    for place, root in enumerate(_ROOTS, start=1):
        if fraction >> _BITS - place & 1:
            power = power * root >> 2 * _BITS
    shift = 2 * _BITS - (ONE.bit_length() - 1) - halvings
    return power << -shift if shift <= 0 else (power + (1 << shift - 1)) >> shift


def _roots() -> tuple[int, ...]:
    """2^(1/2), 2^(1/4), 2^(1/8), … as 128-bit fixed-point numbers."""
    found, root = [], 2 << 2 * _BITS
    for _ in range(_BITS):
        root = math.isqrt(root << 2 * _BITS)
        found.append(root)
    return tuple(found)


_ROOTS = _roots()
