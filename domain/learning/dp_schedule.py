"""What a cycle's differential privacy means in numbers: parts that are noised, and what a schedule costs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from domain.learning.mechanism import Mechanism
from domain.learning.noise import combined
from domain.learning.policy import PrivacySpec
from domain.learning.tensors import GROUP_OF, GROUPS, Schema
from domain.refusal import Refusal

EVERYTHING = "all"
LOCAL_SENSITIVITY = 2.0
"""With noise of one's own, no two updates may be told apart; clipped to a norm, they are twice that apart."""


@dataclass(frozen=True, slots=True)
class Part:
    """Tensors that are clipped to one norm and given noise of one standard deviation."""

    tensors: tuple[str, ...]
    norm: float
    deviation: float


def check(spec: PrivacySpec) -> None:
    """Refuse differential privacy that cannot be.

    Raises:
        Refusal: neither a budget nor noise is stated, or settings contradict each other.
    """
    if spec.epsilon is None and spec.noise_multiplier is None:
        raise Refusal("epsilon", "is missing: say what the whole cycle may spend, or noise_multiplier")
    grouped = isinstance(spec.epsilon, Mapping) or isinstance(spec.noise_multiplier, Mapping)
    if spec.clipping == "adaptive" and (grouped or spec.place == "local"):
        what = "one epsilon for all groups" if grouped else "noise at the aggregator (place central)"
        raise Refusal("clipping", f"adaptive asks for {what}; choose that, or flat or per_tensor")
    if spec.sampling == "secret" and spec.place == "local":
        raise Refusal("sampling", "secret counts only for central noise: a local release names its client")


def parts(spec: PrivacySpec, schema: Schema) -> dict[str, Part]:
    """What is clipped and noised together: everything, or each privacy group that the model has.

    Raises:
        Refusal: the noise is not known yet, or that of a group of the model is not.
    """
    noise = _noise(spec)
    scale = spec.clip * (LOCAL_SENSITIVITY if spec.place == "local" else 1.0)
    if not isinstance(noise, Mapping):
        return {EVERYTHING: Part(tuple(one.name for one in schema), spec.clip, noise * scale)}
    found = {}
    for group in GROUPS:
        names = tuple(one.name for one in schema if GROUP_OF[one.section] == group)
        if names and group not in noise:
            raise Refusal(f"epsilon.{group}", "is missing, and the model has tensors of that group")
        if names:
            found[str(group)] = Part(names, spec.clip, noise[group] * scale)
    return found


def release(spec: PrivacySpec, cohort: int, eligible: int) -> Mechanism:
    """What one round costs everybody who counts as being in it.

    `public`: only those drawn are in it, and all of it counts. `secret`: every eligible client is, with the
    probability of being drawn.
    """
    noise = _noise(spec)
    whole = combined(noise) if isinstance(noise, Mapping) else noise
    return Mechanism(whole, sampled_share(spec, cohort, eligible))


def sampled_share(spec: PrivacySpec, cohort: int, eligible: int) -> float:
    """The probability of being drawn, as far as it counts; 1 where cohorts are public."""
    return min(1.0, cohort / eligible) if spec.sampling == "secret" and eligible else 1.0


def schedule(spec: PrivacySpec, rounds: int, cohort: int, eligible: int) -> Mechanism:
    """What `rounds` rounds cost somebody who counts as being in each of them."""
    return replace(release(spec, cohort, eligible), count=rounds)


def _noise(spec: PrivacySpec) -> float | Mapping[str, float]:
    if spec.noise_multiplier is None:
        raise Refusal("noise_multiplier", "is not calibrated to epsilon yet")
    return spec.noise_multiplier
