"""What releases cost: Gaussian mechanisms, as an accountant composes them."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from domain.learning.policy import within

MAX_COUNT = 1_000_000


@dataclass(frozen=True, slots=True, order=True)
class Mechanism:
    """Gaussian noise on a sum of clipped updates, repeated.

    `noise_multiplier`: its standard deviation over how far one update can move the sum. `sampling`: the
    probability with which each subject is in the sum, independently of the others (Poisson); 1: all.
    `count`: how many times.
    """

    noise_multiplier: float
    sampling: float = 1.0
    count: int = 1

    def __post_init__(self) -> None:
        within("noise_multiplier", self.noise_multiplier, 0, 1e6, above=True)
        within("sampling", self.sampling, 0, 1, above=True)
        within("count", self.count, 1, MAX_COUNT)


Composition = tuple[Mechanism, ...]
"""Sorted, no two of one noise and sampling: equal for everybody who took part in the same releases."""


def compose(*parts: Iterable[Mechanism]) -> Composition:
    """All of these mechanisms, whichever came first."""
    counts: dict[tuple[float, float], int] = {}
    for mechanism in (one for part in parts for one in part):
        kind = (mechanism.noise_multiplier, mechanism.sampling)
        counts[kind] = counts.get(kind, 0) + mechanism.count
    return tuple(Mechanism(*kind, count) for kind, count in sorted(counts.items()))


def unsampled(composition: Iterable[Mechanism]) -> tuple[float, tuple[Mechanism, ...]]:
    """The noise multiplier of the one release that those on everybody add up to, and the others.

    Gaussian mechanisms compose into one, exactly: 1 / z^2 adds up (Dong, Roth, Su 2022, corollary 3.3).
    Infinite where there is none.
    """
    rest, precision = [], 0.0
    for one in composition:
        if one.sampling == 1:
            precision += one.count * one.noise_multiplier**-2
        else:
            rest.append(one)
    return (precision**-0.5 if precision else math.inf), tuple(rest)


def repeated(mechanism: Mechanism, times: int) -> Mechanism:
    """For somebody with `times` clients in each sample: their updates move the sum that many times as far."""
    return Mechanism(mechanism.noise_multiplier / times, mechanism.sampling, mechanism.count)
