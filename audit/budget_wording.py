"""What an event of a privacy ledger says, in one line for people."""

from typing import assert_never

from audit.learning_wording import few, figure
from domain.learning.budget.events import BudgetCharged, BudgetEvent, BudgetOpened, BudgetRefused
from domain.learning.mechanism import Mechanism


def said_of_budget(data: BudgetEvent) -> str:
    """One line; of many subjects the first few, since the event has all."""
    match data:
        case BudgetOpened():
            return f"{data.ledger}: each subject may spend {data.budget:g} epsilon at delta {data.delta:g}"
        case BudgetCharged():
            part = f" (part {data.part} of {data.parts})" if data.parts > 1 else ""
            paid = few(
                f"{subject} {figure(one.before)} to {figure(one.after)}"
                for one in data.spent
                for subject in one.subjects
            )
            return f"{data.id} costs {_cost(data.mechanism)}{part}; epsilon of {paid}"
        case BudgetRefused():
            over = few(f"{one.subject} at {figure(one.epsilon)}" for one in data.refused)
            return (
                f"{data.id}, which costs {_cost(data.mechanism)}, is refused: {data.refusals:,} of"
                f" {data.asked:,} subjects would pass the budget: {over}"
            )
        case _:
            assert_never(data)


def _cost(one: Mechanism) -> str:
    sampled = "" if one.sampling == 1 else f" on a sample of {one.sampling:.4g}"
    times = "" if one.count == 1 else f"{one.count:,} times "
    return f"{times}Gaussian noise of {one.noise_multiplier:.4g}{sampled}"
