"""Rounds under noise held against what they cost: a granted charge for each attempt, the epsilon stated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from audit.budgets import LedgerReplay
from audit.divergent import Divergent
from audit.grounds import Epsilon
from domain.event import Event
from domain.learning.budget.commands import Charge
from domain.learning.budget.release import attempt_id, charges, in_every_attempt, paid_again
from domain.learning.budget.state import ROUNDING
from domain.learning.commands import RunCycle
from domain.learning.dp_schedule import schedule
from domain.learning.events import RoundAggregated, RoundOpened
from domain.learning.fleet import Candidate
from domain.learning.mechanism import Mechanism, compose
from domain.learning.selection import is_poisson, odds, subject_of
from domain.refusal import Refusal
from domain.stream import budget_stream

NOISED = ("differential_privacy", "hybrid")


@dataclass(frozen=True, slots=True)
class Release:
    """An attempt that a ledger must have been charged for.

    `subjects`: who pays, those drawn, or where cohorts are secret everybody who was eligible.
    """

    event: Event
    request: RunCycle
    opened: RoundOpened
    mechanism: Mechanism
    subjects: frozenset[str]

    @property
    def ledger(self) -> str:
        """Its stream."""
        return budget_stream(self.request.privacy.ledger)

    def check(self, ledger: LedgerReplay | None) -> None:
        """Look for its charges.

        Raises:
            Refusal: one was not granted, or for another release.
        """
        for charge in self._owed(ledger):
            digest = None if ledger is None else ledger.granted.get(charge.id)
            if digest is None:
                raise Refusal("privacy.ledger", f"{self.ledger} has granted no charge {charge.id}")
            if digest != charge.digest:
                raise Refusal(
                    "privacy.ledger",
                    f"{self.ledger} has granted the charge {charge.id}, but for another release: "
                    "of other subjects, noise, budget or delta",
                )

    def _owed(self, ledger: LedgerReplay | None) -> list[Charge]:
        request, spec = self.request, self.request.privacy
        if spec.sampling == "public":
            return self._of_attempt(self.subjects)
        noise = self.mechanism.noise_multiplier
        known = None if ledger is None else ledger.cycles.get(request.id)
        if known is None:
            whole = Mechanism(noise, self.mechanism.sampling, request.rounds)
            return charges(spec, request.id, self.subjects, whole)
        whole = Mechanism(noise, known.sampling, request.rounds)
        paid = self.mechanism.sampling <= known.sampling and not paid_again(spec, self.opened.attempt)
        return [
            *charges(spec, request.id, known.subjects, whole),
            *self._of_attempt(self.subjects - known.subjects if paid else self.subjects),
        ]

    def _of_attempt(self, subjects: frozenset[str]) -> list[Charge]:
        name = attempt_id(self.request.id, self.opened.round, self.opened.attempt, subjects)
        return charges(self.request.privacy, name, subjects, self.mechanism)


@dataclass(slots=True)
class Spending:
    """The releases of one cycle, as its events tell them one by one."""

    _open: Mechanism | None = None
    _rounds: list[Mechanism] = field(default_factory=list)

    def begin(self) -> None:
        """Another attempt, of which nothing is known yet."""
        self._open = None

    def opened(
        self, event: Event, request: RunCycle, data: RoundOpened, able: Sequence[Candidate]
    ) -> Release | None:
        """An attempt began, drawn from `able`: what it owes, if it is noised.

        Raises:
            Refusal: no noise was stated.
        """
        if request.privacy.method not in NOISED:
            return None
        size, subjects = odds(able, request.cohort)
        drawn = size if is_poisson(request.privacy) else len(data.cohort)
        self._open = schedule(request.privacy, 1, drawn, subjects)
        return Release(event, request, data, self._open, _payers(request, data, able))

    def aggregated(self, request: RunCycle, data: RoundAggregated) -> None:
        """The open attempt became a model; one whose cohort was not drawn again costs nothing here."""
        if self._open is not None:
            count = data.attempt if in_every_attempt(request.privacy) else 1
            self._rounds.append(replace(self._open, count=count))

    def check(self, request: RunCycle, data: RoundAggregated, epsilon: Epsilon) -> None:
        """Compute again what the rounds so far come to.

        Raises:
            Refusal: less is stated.
        """
        spec, said = request.privacy, data.privacy
        if spec.method not in NOISED:
            return
        if said.delta != spec.delta:
            raise Refusal("delta", f"recorded {said.delta}, but the cycle is charged at {spec.delta:g}")
        cost = epsilon(compose(self._rounds), spec.delta)
        least = cost - max(ROUNDING, ROUNDING * cost)
        if said.epsilon is None or said.epsilon < least:
            raise Refusal("epsilon", f"recorded {said.epsilon}, but the rounds so far cost {cost:g}")


def uncharged(releases: Sequence[Release], ledgers: Mapping[str, LedgerReplay]) -> list[Divergent]:
    """Those that no ledger was charged for; `ledgers` by stream."""
    found = []
    for one in releases:
        try:
            one.check(ledgers.get(one.ledger))
        except Refusal as refusal:
            found.append(Divergent(one.event.stream, one.event.id, one.event.type, str(refusal)))
    return found


def _payers(request: RunCycle, data: RoundOpened, able: Sequence[Candidate]) -> frozenset[str]:
    if request.privacy.sampling == "secret":
        return frozenset(subject_of(one.client) for one in able)
    asked = {member.client for member in data.cohort}
    return frozenset(subject_of(one.client) for one in able if one.client.id in asked)
