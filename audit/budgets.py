"""Privacy ledgers taken again: what each charge came to, as an accountant says of the mechanisms recorded."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from audit.divergent import Divergent
from audit.grounds import Epsilon
from domain.event import Event
from domain.learning.budget.commands import Charge
from domain.learning.budget.events import BudgetCharged, BudgetOpened, BudgetRefused
from domain.learning.budget.release import cycle_of
from domain.learning.budget.state import CLOSED, ROUNDING, Ledger, fold
from domain.learning.mechanism import Composition, compose, repeated
from domain.refusal import Refusal
from domain.stream import budget_stream


@dataclass(frozen=True, slots=True)
class WholeCycle:
    """What a cycle was charged before its first round, for all of them: whom, at which chance to be drawn."""

    sampling: float
    subjects: frozenset[str]


class LedgerReplay:
    """Event by event; one that cannot follow ends it, since nothing after it could be told.

    `charges`: accounted for again. `divergent`: events that do not say what follows. `granted`: the digests,
    by the charges' ids, of those that do follow; `cycles`: those for whole cycles.
    """

    def __init__(self, epsilon: Epsilon) -> None:
        self.charges = 0
        self.divergent: list[Divergent] = []
        self.granted: dict[str, str] = {}
        self.cycles: dict[str, WholeCycle] = {}
        self._epsilon, self._state, self._over = epsilon, CLOSED, False
        self._subjects: list[str] = []
        self._follows = True

    def take(self, event: Event) -> None:
        """The next event of the stream."""
        if self._over:
            return
        before = self._state
        try:
            self._state = fold(before, event)
        except Refusal as refusal:
            self._over = True
            self.divergent.append(_divergent(event, refusal))
            return
        try:
            self._check(before, event)
        except Refusal as refusal:
            self._follows = False
            self.divergent.append(_divergent(event, refusal))

    def _check(self, before: Ledger, event: Event) -> None:
        match event.data:
            case BudgetCharged() as data:
                self._charged(before, data)
            case BudgetRefused() as data:
                _check_refused(before, data, self._epsilon)
            case BudgetOpened() as data if event.stream != budget_stream(data.ledger):
                raise Refusal("ledger", f"{data.ledger} was opened in the stream {event.stream}")

    def _charged(self, before: Ledger, data: BudgetCharged) -> None:
        first, last = data.part == 1, data.part == data.parts
        self._subjects = [*([] if first else self._subjects), *_named(data)]
        self._follows = first or self._follows
        self.charges += last
        _check_spent(before, data, self._epsilon)
        if not last:
            return
        _check_digest(before, data, self._subjects)
        if self._follows:
            self._grant(data)

    def _grant(self, data: BudgetCharged) -> None:
        self.granted[data.id] = data.digest
        cycle = cycle_of(data.id)
        if cycle is not None:  # of others the digest is enough, and names are many
            had = self.cycles.get(cycle)
            subjects = frozenset(self._subjects) | (had.subjects if had else frozenset())
            self.cycles[cycle] = WholeCycle(data.mechanism.sampling, subjects)


def replay_ledger(events: Iterable[Event], epsilon: Epsilon) -> LedgerReplay:
    """A whole ledger."""
    found = LedgerReplay(epsilon)
    for event in events:
        found.take(event)
    return found


def _named(data: BudgetCharged) -> list[str]:
    return [subject for spent in data.spent for subject in spent.subjects for _ in range(spent.times)]


def _check_spent(before: Ledger, data: BudgetCharged, epsilon: Epsilon) -> None:
    for spent in data.spent:
        cost = repeated(data.mechanism, spent.times)
        for subject in spent.subjects:
            follows = _after(before, subject, cost_of=(cost,), epsilon=epsilon)
            if not math.isclose(spent.after, follows, rel_tol=ROUNDING, abs_tol=ROUNDING):
                raise Refusal(
                    "after",
                    f"{subject} is recorded at {spent.after:g} epsilon, but its releases cost {follows:g}",
                )


def _check_digest(before: Ledger, data: BudgetCharged, subjects: Sequence[str]) -> None:
    opened, one = _opened(before), data.mechanism
    charge = Charge(
        opened.ledger,
        data.id,
        tuple(subjects),
        one.noise_multiplier,
        one.sampling,
        one.count,
        opened.delta,
        opened.budget,
    )
    if charge.digest != data.digest:
        raise Refusal("digest", f"that of {data.id} is of another charge than was recorded")


def _check_refused(before: Ledger, data: BudgetRefused, epsilon: Epsilon) -> None:
    budget = _opened(before).budget
    for one in data.refused:
        least = _after(before, one.subject, cost_of=(data.mechanism,), epsilon=epsilon)
        if one.epsilon <= budget or one.epsilon < least - ROUNDING:
            raise Refusal(
                "refused", f"{one.subject} at {one.epsilon:g} of {budget:g}: it costs {least:g} or more"
            )


def _after(before: Ledger, subject: str, *, cost_of: Composition, epsilon: Epsilon) -> float:
    return epsilon(compose(before.account(subject).composition, cost_of), _opened(before).delta)


def _opened(state: Ledger) -> BudgetOpened:
    if state.opened is None:
        raise AssertionError("the fold refuses a charge before the opening")
    return state.opened


def _divergent(event: Event, refusal: Refusal) -> Divergent:
    return Divergent(event.stream, event.id, event.type, str(refusal))
