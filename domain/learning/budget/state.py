"""A ledger as its own stream tells it: what each subject took part in, and what was answered."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from domain.event import Event
from domain.learning.budget.commands import Charged
from domain.learning.budget.events import BudgetCharged, BudgetEvent, BudgetOpened, BudgetRefused
from domain.learning.mechanism import Composition, compose, repeated
from domain.refusal import ImpossibleEvent

MAX_ANSWERS = 256
"""So many charges back, a repeat is known; an older one would be charged again: the safe side."""
ROUNDING = 1e-9
"""By which the same releases, composed in another order, may differ."""


@dataclass(frozen=True, slots=True)
class Account:
    """What one subject has taken part in, and the epsilon that it comes to."""

    composition: Composition = ()
    epsilon: float = 0.0
    releases: int = 0


NOTHING = Account()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a charge of that digest was told."""

    digest: str
    charged: Charged


@dataclass(frozen=True, slots=True)
class Pending:
    """A charge whose parts are not all folded yet; `epsilon` is the largest so far."""

    id: str
    digest: str
    part: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class Ledger:
    """`CLOSED` before its first event; `answers` by the charge's id, oldest first."""

    opened: BudgetOpened | None = None
    accounts: Mapping[str, Account] = field(default_factory=dict)
    answers: Mapping[str, Answer] = field(default_factory=dict)
    pending: Pending | None = None

    def account(self, subject: str) -> Account:
        """Of somebody who was never charged: nothing."""
        return self.accounts.get(subject, NOTHING)


CLOSED = Ledger()


def fold(state: Ledger, event: Event) -> Ledger:
    """The ledger after `event`.

    Raises:
        ImpossibleEvent: the event is none of a ledger's, or cannot follow what was folded so far.
    """
    data = event.data
    if not isinstance(data, BudgetEvent):
        raise ImpossibleEvent("type", f"{event.type} is no event of a ledger")
    if (state.opened is None) != isinstance(data, BudgetOpened):
        when = "before" if state.opened is None else "after"
        raise ImpossibleEvent("type", f"{event.type} {when} the opening")
    match data:
        case BudgetOpened():
            return replace(state, opened=data)
        case BudgetCharged():
            return _charged(state, data)
        case BudgetRefused():
            return _refused(state, data)
        case _:
            assert_never(data)


def fold_all(state: Ledger, events: Iterable[Event]) -> Ledger:
    """The ledger after all of `events`."""
    for event in events:
        state = fold(state, event)
    return state


def _charged(state: Ledger, data: BudgetCharged) -> Ledger:
    before = _pending(state, data)
    accounts, epsilon, budget = dict(state.accounts), before.epsilon, _budget(state)
    for spent in data.spent:
        if spent.after > budget + ROUNDING:
            raise ImpossibleEvent("after", f"{spent.after:g} epsilon were spent of a budget of {budget:g}")
        epsilon = max(epsilon, spent.after)
        cost = repeated(data.mechanism, spent.times)
        made: dict[Composition, Composition] = {}  # one object for all that have spent alike
        for subject in spent.subjects:
            had = state.account(subject)
            if had.epsilon != spent.before:
                raise ImpossibleEvent("before", f"{spent.before:g} epsilon, not the {had.epsilon:g} spent")
            if had.composition not in made:
                made[had.composition] = compose(had.composition, (cost,))
            releases = had.releases + data.mechanism.count
            accounts[subject] = Account(made[had.composition], spent.after, releases)
    if data.part < data.parts:
        return replace(state, accounts=accounts, pending=replace(before, part=data.part, epsilon=epsilon))
    answer = Answer(data.digest, Charged(granted=True, epsilon=epsilon))
    return replace(_answered(state, data.id, answer), accounts=accounts, pending=None)


def _pending(state: Ledger, data: BudgetCharged) -> Pending:
    before = state.pending or Pending(data.id, data.digest, 0, 0.0)
    if (before.id, before.digest, before.part + 1) != (data.id, data.digest, data.part):
        raise ImpossibleEvent("part", f"part {data.part} does not follow part {before.part} of a charge")
    if data.id in state.answers or not data.part <= data.parts:
        raise ImpossibleEvent("id", "a charge that was answered before, or a part too many")
    return before


def _refused(state: Ledger, data: BudgetRefused) -> Ledger:
    if state.pending is not None or data.id in state.answers:
        raise ImpossibleEvent("id", "a refusal inside another charge, or of one that was answered")
    refused = tuple((one.subject, one.epsilon) for one in data.refused)
    charged = Charged(granted=False, epsilon=data.epsilon, refused=refused, refusals=data.refusals)
    return _answered(state, data.id, Answer(data.digest, charged))


def _answered(state: Ledger, name: str, answer: Answer) -> Ledger:
    newest = list(state.answers.items())[-(MAX_ANSWERS - 1) :]
    return replace(state, answers=dict([*newest, (name, answer)]))


def _budget(state: Ledger) -> float:
    return state.opened.budget if state.opened else 0.0
