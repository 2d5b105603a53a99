"""Rounds under noise held against what they cost: a granted charge for each attempt, the epsilon stated."""

from collections.abc import Container, Mapping, Sequence
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
from domain.learning.policy import NOISED
from domain.learning.selection import is_poisson, odds, subject_of
from domain.refusal import Refusal
from domain.stream import budget_stream

Owed = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Release:
    """An attempt that a ledger must have been charged for, by the event that opened it.

    `owed`: the ids and digests of its charges. Where cohorts are secret they follow only from what the ledger
    was charged for the whole cycle: it is empty, and `subjects` are all who were eligible.
    """

    stream: str
    event_id: str
    request: RunCycle
    round: int
    attempt: int
    mechanism: Mechanism
    owed: tuple[Owed, ...] = ()
    subjects: frozenset[str] = frozenset()

    @property
    def ledger(self) -> str:
        """Its stream."""
        return budget_stream(self.request.privacy.ledger)

    def check(self, ledger: LedgerReplay | None) -> None:
        """Look for its charges.

        Raises:
            Refusal: one was not granted, or for another release.
        """
        for name, digest in self.owed or self._owed(ledger):
            granted = None if ledger is None else ledger.granted.get(name)
            if granted is None:
                raise Refusal("privacy.ledger", f"{self.ledger} has granted no charge {name}")
            if granted != digest:
                raise Refusal(
                    "privacy.ledger",
                    f"{self.ledger} has granted the charge {name}, but for another release: "
                    "of other subjects, noise, budget or delta",
                )

    def of_attempt(self, subjects: frozenset[str]) -> tuple[Owed, ...]:
        """What is owed for this attempt alone."""
        name = attempt_id(self.request.id, self.round, self.attempt, subjects)
        return _owed(charges(self.request.privacy, name, subjects, self.mechanism))

    def _owed(self, ledger: LedgerReplay | None) -> tuple[Owed, ...]:
        request, spec, one = self.request, self.request.privacy, self.mechanism
        known = None if ledger is None else ledger.cycles.get(request.id)
        if known is None:
            whole = Mechanism(one.noise_multiplier, one.sampling, request.rounds)
            return _owed(charges(spec, request.id, self.subjects, whole))
        whole = Mechanism(one.noise_multiplier, known.sampling, request.rounds)
        paid = one.sampling <= known.sampling and not paid_again(spec, self.attempt)
        more = self.subjects - known.subjects if paid else self.subjects
        return (*_owed(charges(spec, request.id, known.subjects, whole)), *self.of_attempt(more))


@dataclass(slots=True)
class Spending:
    """The releases of one cycle, as its events tell them one by one."""

    _open: Mechanism | None = None
    _rounds: list[Mechanism] = field(default_factory=list)
    _eligible: frozenset[str] = frozenset()

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
        one = Release(event.stream, event.id, request, data.round, data.attempt, self._open)
        if request.privacy.sampling == "public":
            asked = {member.client for member in data.cohort}
            return replace(one, owed=one.of_attempt(_subjects(able, asked)))
        everybody = _subjects(able)
        if everybody != self._eligible:  # else the same object for all rounds: there may be many of both
            self._eligible = everybody
        return replace(one, subjects=self._eligible)

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
            found.append(Divergent(one.stream, one.event_id, RoundOpened.TYPE, str(refusal)))
    return found


def _subjects(able: Sequence[Candidate], asked: Container[str] | None = None) -> frozenset[str]:
    return frozenset(subject_of(one.client) for one in able if asked is None or one.client.id in asked)


def _owed(asked: Sequence[Charge]) -> tuple[Owed, ...]:
    return tuple((one.id, one.digest) for one in asked)
