"""What a cycle does with privacy budgets: calibrate its noise, charge for it; what a ledger computes."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

from temporalio import activity

from activities.learning_ports import Budgets
from activities.privacy import accountant
from activities.privacy.port import OVERSPENT
from domain.learning.budget.commands import Charge, Charged
from domain.learning.dp_schedule import check, sampled_share, schedule
from domain.learning.mechanism import Composition
from domain.learning.policy import PrivacySpec
from domain.refusal import Refusal


@dataclass(frozen=True, slots=True)
class CompositionsWanted:
    """Compositions of which the epsilon at `delta` is wanted."""

    compositions: tuple[Composition, ...]
    delta: float


@dataclass(frozen=True, slots=True)
class NoiseWanted:
    """A cycle's privacy, its rounds, and of how many eligible clients a cohort is drawn."""

    spec: PrivacySpec
    rounds: int
    cohort: int
    eligible: int


class Budgeting:
    """Asks the injected ledgers, and the accountant, which takes a thread: it may compute for seconds."""

    def __init__(self, budgets: Budgets) -> None:
        self._budgets = budgets

    @activity.defn(name="charge_budget")
    async def charge_budget(self, charge: Charge) -> Charged:
        """Charge all subjects, or none of them, before any noise is drawn; the same id, the same answer.

        Raises:
            Refusal: the id was used for another charge, or the ledger has another budget or delta.
        """
        return await self._budgets.charge(charge)

    @activity.defn(name="compose_budget")
    async def compose_budget(self, wanted: CompositionsWanted) -> tuple[float, ...]:
        """The epsilon of each, in their order.

        Raises:
            Refusal: the extra `folkmoot[learning]` is not installed here.
        """
        return await asyncio.to_thread(
            lambda: tuple(accountant.epsilon(one, wanted.delta) for one in wanted.compositions)
        )

    @activity.defn(name="calibrate_noise")
    async def calibrate_noise(self, wanted: NoiseWanted) -> PrivacySpec:
        """The privacy with the noise that its epsilon asks for over all rounds; as it is if noise is given.

        Raises:
            Refusal: neither is stated, settings contradict each other, or no noise is enough.
        """
        spec = wanted.spec
        return await asyncio.to_thread(calibrate, spec, wanted.rounds, wanted.cohort, wanted.eligible)


def calibrate(spec: PrivacySpec, rounds: int, cohort: int, eligible: int) -> PrivacySpec:
    """As `Budgeting.calibrate_noise`; takes seconds where cohorts are sampled.

    Raises:
        Refusal: as there, or everybody pays for every round, and that is more than anybody's budget.
    """
    check(spec)
    if spec.noise_multiplier is None:
        spec = calibrated(NoiseWanted(spec, rounds, cohort, eligible))
    if spec.sampling == "secret" or cohort >= eligible:
        whole = accountant.epsilon((schedule(spec, rounds, cohort, eligible),), spec.delta)
        if whole > spec.budget:
            raise Refusal(
                OVERSPENT,
                f"{rounds} rounds cost everybody {whole:.4g} epsilon, and a budget is {spec.budget:g}; "
                "ask for a smaller epsilon, or a larger budget on a new ledger",
            )
    return spec


def calibrated(wanted: NoiseWanted) -> PrivacySpec:
    """The privacy with the noise that spends its epsilon; that of each group, where each has one."""
    spec = wanted.spec
    share = sampled_share(spec, wanted.cohort, wanted.eligible)

    def noise(epsilon: float) -> float:
        return accountant.calibrate(epsilon, spec.delta, share, wanted.rounds)

    if spec.epsilon is None:
        raise AssertionError("checked before")
    if isinstance(spec.epsilon, Mapping):
        groups = {group: noise(epsilon) for group, epsilon in sorted(spec.epsilon.items())}
        return replace(spec, noise_multiplier=groups)
    return replace(spec, noise_multiplier=noise(spec.epsilon))
