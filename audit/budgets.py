"""Privacy ledgers taken again: what each charge came to, as an accountant says of the mechanisms recorded."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from audit.decisions import stream_events
from audit.divergent import Divergent
from audit.replayed import Replayed
from domain.event import Event
from domain.learning.budget.commands import Charge
from domain.learning.budget.events import BudgetCharged, BudgetOpened, BudgetRefused
from domain.learning.budget.state import CLOSED, ROUNDING, Ledger, fold
from domain.learning.mechanism import Composition, compose, repeated
from domain.refusal import Refusal
from domain.stream import budget_stream
from eventlog.reader import LogReader

Epsilon = Callable[[Composition, float], float]
"""What a composition comes to at a delta."""


@dataclass(slots=True)
class Ledgers:
    """`charges`: accounted for again. `divergent`: events that do not say what follows."""

    charges: int = 0
    divergent: list[Divergent] = field(default_factory=list)


async def replay_budget(reader: LogReader, stream: str, epsilon: Epsilon) -> Replayed:
    """Account for a ledger's charges again.

    Raises:
        Refusal: the log has no such stream.
    """
    found = Replayed()
    ledger = replay_ledger(await stream_events(reader, stream, found.passed), epsilon)
    found.charges, found.divergent = ledger.charges, ledger.divergent
    return found


def replay_ledger(events: Sequence[Event], epsilon: Epsilon) -> Ledgers:
    """Event by event; one that cannot follow ends it, since nothing after it could be told."""
    found, state, subjects = Ledgers(), CLOSED, list[str]()
    for event in events:
        before = state
        try:
            state = fold(state, event)
        except Refusal as refusal:
            found.divergent.append(_divergent(event, refusal))
            return found
        try:
            match event.data:
                case BudgetCharged(part=part, parts=parts) as data:
                    subjects = [*(subjects if part > 1 else []), *_named(data)]
                    found.charges += part == parts
                    _check_spent(before, data, epsilon)
                    if part == parts:
                        _check_digest(before, data, subjects)
                case BudgetRefused() as data:
                    _check_refused(before, data, epsilon)
                case BudgetOpened() as data if event.stream != budget_stream(data.ledger):
                    raise Refusal("ledger", f"{data.ledger} was opened in the stream {event.stream}")  # noqa: TRY301 # as the others
        except Refusal as refusal:
            found.divergent.append(_divergent(event, refusal))
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
