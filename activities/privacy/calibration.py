"""How much noise a cycle's epsilon asks for, before the cycle opens."""

from collections.abc import Mapping
from dataclasses import replace

from activities.privacy import accountant
from activities.privacy.port import OVERSPENT
from domain.learning.clipping import Quantile
from domain.learning.dp_schedule import check, sampled_share, schedule
from domain.learning.policy import PrivacySpec
from domain.refusal import Refusal


def calibrate(spec: PrivacySpec, rounds: int, cohort: int, eligible: int) -> PrivacySpec:
    """The privacy with the noise that its epsilon asks for over all rounds; as it is if noise is given.

    Takes seconds where cohorts are sampled.

    Raises:
        Refusal: neither is stated, settings contradict each other, no noise is enough, cohorts are too small
            for adaptive clipping, or everybody pays for every round, and that is more than anybody's budget.
    """
    check(spec)
    if spec.noise_multiplier is None:
        spec = _calibrated(spec, rounds, sampled_share(spec, cohort, eligible))
    if spec.clipping == "adaptive" and isinstance(spec.noise_multiplier, float | int):
        Quantile().split(spec.noise_multiplier, cohort)
    if spec.sampling == "secret" or cohort >= eligible:
        whole = accountant.epsilon((schedule(spec, rounds, cohort, eligible),), spec.delta)
        if whole > spec.budget:
            raise Refusal(
                OVERSPENT,
                f"{rounds} rounds cost everybody {whole:.4g} epsilon, and a budget is {spec.budget:g}; "
                "ask for a smaller epsilon, or a larger budget on a new ledger",
            )
    return spec


def _calibrated(spec: PrivacySpec, rounds: int, share: float) -> PrivacySpec:
    """With the noise that spends its epsilon; that of each group, where each has one."""

    def noise(epsilon: float) -> float:
        return accountant.calibrate(epsilon, spec.delta, share, rounds)

    if spec.epsilon is None:
        raise AssertionError("checked before")
    if isinstance(spec.epsilon, Mapping):
        groups = {group: noise(epsilon) for group, epsilon in sorted(spec.epsilon.items())}
        return replace(spec, noise_multiplier=groups)
    return replace(spec, noise_multiplier=noise(spec.epsilon))
