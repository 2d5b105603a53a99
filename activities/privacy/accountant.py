"""What a schedule of noisy releases costs, and how much noise a budget asks for (`dp-accounting`)."""

import functools
import itertools
import math
from collections.abc import Callable
from types import ModuleType
from typing import Any

from domain.learning.mechanism import Composition, Mechanism, unsampled
from domain.refusal import Refusal

_INTERVAL = 1e-4
"""Privacy losses are rounded up to multiples of it; composing k releases adds up to k times as much."""
_LEAST, _MOST = 1e-2, 1e6
_EXACT, _EXACT_SAMPLED = 1e-6, 1e-3
_ULPS, _NOTHING = 1e-9, 1e-12
_KEPT = 4096
MOST = 1e6
"""An epsilon of this or more, also where none is enough: it stands for no privacy at all."""


@functools.lru_cache(maxsize=_KEPT)
def epsilon(composition: Composition, delta: float) -> float:
    """The epsilon at `delta` of everything in `composition` together; 0 of nothing.

    Neighbours differ in one participant, which contributes its update or nothing, to a sum over as many
    clients. Releases on everybody are one Gaussian mechanism, whose epsilon is known in
    closed form (Balle and Wang 2018); with subsampled ones among them, privacy loss distributions are
    composed (Koskela et al. 2020; Doroshenko et al. 2022), rounded so that the answer is never too small.

    Raises:
        Refusal: the extra `folkmoot[learning]` is not installed.
    """
    noise, sampled = unsampled(composition)
    if not sampled:
        return min(_gaussian(noise, delta), MOST)
    distributions = _pld()
    parts = [_sampled(one) for one in sampled]
    if math.isfinite(noise):
        parts.append(distributions.from_gaussian_mechanism(noise, value_discretization_interval=_INTERVAL))
    whole = functools.reduce(lambda one, other: one.compose(other), parts)
    return min(float(whole.get_epsilon_for_delta(delta)), MOST)


@functools.lru_cache(maxsize=_KEPT)
def calibrate(target: float, delta: float, sampling: float, count: int) -> float:
    """The least noise multiplier with which `count` releases cost at most `target` epsilon at `delta`.

    They cost at least 1 - 1e-6 of it, or 1 - 1e-3 where cohorts are sampled, which takes seconds.

    Raises:
        Refusal: no noise multiplier up to 1e6 is enough, or the extra `folkmoot[learning]` is missing.
    """

    def cost(noise: float) -> float:
        return epsilon((Mechanism(noise, sampling, count),), delta)

    return _least(cost, target, _EXACT if sampling == 1 else _EXACT_SAMPLED)


def _least(cost: Callable[[float], float], target: float, exact: float) -> float:
    """Where `cost`, which falls, is at most `target` and at least `exact` of itself below it."""
    low, high = _bracket(cost, target)
    aim, halving = target * (1 - exact / 2), itertools.cycle((False, False, True))
    while cost(high) < target * (1 - exact) and high / low > 1 + _ULPS:
        middle = math.sqrt(low * high) if next(halving) else _between(cost, low, high, aim)
        low, high = (low, middle) if cost(middle) <= target else (middle, high)
    return high


def _bracket(cost: Callable[[float], float], target: float) -> tuple[float, float]:
    """Noise that is not enough, and twice as much, which is; or the least noise there is."""
    high = 1.0
    while cost(high) > target:
        high *= 2
        if high > _MOST:
            raise Refusal("epsilon", f"no noise is enough for {target:g}; allow more, or fewer rounds")
    while high > _LEAST and cost(high / 2) <= target:
        high /= 2
    return high / 2, high


def _between(cost: Callable[[float], float], low: float, high: float, target: float) -> float:
    """Where a power law through both ends reaches `target`, not quite at an end: epsilon is nearly one."""
    above, below = (math.log(max(cost(noise), _NOTHING)) for noise in (low, high))
    share = (above - math.log(target)) / (above - below) if above > below else 0.5
    return float(low * (high / low) ** min(max(share, 0.01), 0.99))


@functools.lru_cache(maxsize=64)
def _sampled(mechanism: Mechanism) -> Any:
    one = _pld().from_gaussian_mechanism(
        mechanism.noise_multiplier,
        sampling_prob=mechanism.sampling,
        value_discretization_interval=_INTERVAL,
    )
    return one if mechanism.count == 1 else one.self_compose(mechanism.count)


def _gaussian(noise: float, delta: float) -> float:
    try:
        from dp_accounting import gaussian_mechanism
    except ImportError:
        raise _missing() from None
    return float(gaussian_mechanism.get_epsilon_gaussian(noise, delta))


def _pld() -> ModuleType:
    try:
        from dp_accounting.pld import privacy_loss_distribution
    except ImportError:
        raise _missing() from None
    found: ModuleType = privacy_loss_distribution
    return found


def _missing() -> Refusal:
    return Refusal(
        "privacy", "differential privacy is accounted for by dp-accounting: pip install 'folkmoot[learning]'"
    )
