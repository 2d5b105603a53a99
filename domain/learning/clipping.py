"""How far one update can move a sum: clipping, and the grid of whole numbers on which noise is added.

Flat: the norm of all numbers of a group. Per tensor: each of k tensors to 1/sqrt(k) of it, so that together
they keep it (McMahan et al. 2018). Adaptive: a norm that follows a quantile of the clients' norms (Andrew et
al. 2021).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.learning.policy import Clipping
from domain.learning.tensors import Tensors
from domain.refusal import Refusal

Integers = NDArray[np.int64]

_WITHIN = 1 - 2.0**-30
"""Clipped norms stay this far below the norm asked for: above what float64 sums of squares are wrong by."""
_AT_NORM = 1 - 2.0**-20
"""A norm above this share of the norm asked for counts as clipped: float32 on the way moves it by 2^-24."""
FINENESS = 20
"""Steps of the grid in one standard deviation of the noise: 2^20 to 2^21."""
_FINEST = 40


def clip(change: Tensors, norm: float, clipping: Clipping) -> dict[str, NDArray[np.float64]]:
    """`change`, of one group, in float64, with an L2 norm of at most `norm` over all its tensors together.

    A change that is within already stays as it is. Numbers too large to be squared are scaled before.
    """
    wide = {name: np.asarray(array, np.float64) for name, array in sorted(change.items())}
    if clipping == "per_tensor":
        each = norm / math.sqrt(max(len(wide), 1))
        return {name: array * _factor([array], each) for name, array in wide.items()}
    factor = _factor(list(wide.values()), norm)
    return {name: array * factor for name, array in wide.items()}


def l2(arrays: Sequence[NDArray[np.float64]]) -> float:
    """The L2 norm over all of `arrays`, also where a square would overflow."""
    largest = max((float(np.abs(array).max(initial=0)) for array in arrays), default=0.0)
    if largest == 0:
        return 0.0
    return largest * math.sqrt(sum(float(np.square(array / largest).sum()) for array in arrays))


def _factor(arrays: Sequence[NDArray[np.float64]], norm: float) -> float:
    found = l2(arrays)
    return 1.0 if found <= norm * _WITHIN else norm * _WITHIN / found * _WITHIN


def grid_step(deviation: float, norm: float) -> float:
    """The distance of neighbours on the grid for noise of that standard deviation: a power of two.

    Between 2^20 and 2^21 steps are one deviation; for next to no noise, 2^40 steps are `norm`, so that the
    sum of 2^22 updates fits 64 bits.
    """
    return math.ldexp(1.0, max(_exponent(deviation) - FINENESS, _exponent(norm) - _FINEST))


def _exponent(value: float) -> int:
    return math.frexp(value)[1] - 1


def to_grid(change: Tensors, step: float) -> dict[str, Integers]:
    """Whole steps, rounded towards zero: so no number grows, and a clipped norm stays within its bound.

    Rounding to the nearest would let the norm of d numbers grow by up to sqrt(d) / 2 steps.
    """
    return {name: np.trunc(array / step).astype(np.int64) for name, array in sorted(change.items())}


def from_grid(steps: Mapping[str, Integers], step: float) -> dict[str, NDArray[np.float64]]:
    """The numbers that so many steps are; exact up to 2^53 steps."""
    return {name: array.astype(np.float64) * step for name, array in sorted(steps.items())}


@dataclass(frozen=True, slots=True)
class Quantile:
    """How the norm follows the clients' (Andrew et al. 2021, algorithm 1, with its geometric update).

    `share` of the clients should be within the norm; `rate` is how fast it moves; `count_noise` the standard
    deviation of the noise on their number, as a share of the clients.
    """

    share: float = 0.5
    rate: float = 0.2
    count_noise: float = 0.05

    def next_norm(self, norm: float, within: float, clients: int) -> float:
        """The norm of the next round, where `within` (noised) of `clients` were within this one's."""
        share = min(max(within / clients, 0.0), 1.0)
        return norm * math.exp(-self.rate * (share - self.share))

    def deviation(self, clients: int) -> float:
        """Of the noise on the count of clients."""
        return self.count_noise * clients

    def split(self, noise_multiplier: float, clients: int) -> float:
        """The noise multiplier of the sum, so that sum and count together cost `noise_multiplier`.

        z = (z_all^-2 - (2 s)^-2)^-1/2, s the deviation on the count (theorem 1 there: bits are centred, so
        that one client moves the count by a half).

        Raises:
            Refusal: the count alone would cost more than all.
        """
        left = noise_multiplier**-2 - (2 * self.deviation(clients)) ** -2
        if left <= 0:
            too_few = math.floor(noise_multiplier / (2 * self.count_noise))
            raise Refusal(
                "clipping",
                f"adaptive does not go with this noise: a count of {clients:,} clients costs more than the "
                f"noise {noise_multiplier:g} allows; ask more than {too_few:,} clients, or take flat",
            )
        return float(left**-0.5)


def is_within(change: Tensors, norm: float) -> bool:
    """Whether a change needed no clipping; one that was clipped before lies at the norm and did."""
    return l2([np.asarray(array, np.float64) for array in change.values()]) <= norm * _AT_NORM
