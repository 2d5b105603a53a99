"""What an event of a privacy ledger says, in one line for people."""

from typing import assert_never

from audit.learning_wording import few
from domain.counting import counted
from domain.learning.budget.events import BudgetCharged, BudgetEvent, BudgetOpened, BudgetRefused
from domain.learning.mechanism import Mechanism


def said_of_budget(data: BudgetEvent) -> str:
    """One line; of many subjects the first few, since their event has all."""
    match data:
        case BudgetOpened():
            return f"each subject of {data.ledger} may spend epsilon {data.budget:g} at delta {data.delta:g}"
        case BudgetCharged():
            part = f" (part {data.part} of {data.parts})" if data.parts > 1 else ""
            subjects = [
                f"{subject} {one.before:.4g} to {one.after:.4g}"
                for one in data.spent
                for subject in one.subjects
            ]
            who = f"{counted(len(subjects), 'subject')} charged{part}, epsilon of {few(subjects)}"
            return f"{data.id}: {who}; {_cost(data.mechanism)}"
        case BudgetRefused():
            over = few(f"{one.subject} to {one.epsilon:.4g}" for one in data.refused)
            kept = f"{data.refusals:,} of {counted(data.asked, 'subject')} would pass the budget"
            return f"{data.id}: refused, nobody is charged: {kept}: {over}; {_cost(data.mechanism)}"
        case _:
            assert_never(data)


def _cost(one: Mechanism) -> str:
    times = f", {one.count:,} times" if one.count > 1 else ""
    drawn = f", drawn with probability {one.sampling:g}" if one.sampling < 1 else ""
    return f"noise multiplier {one.noise_multiplier:.4g}{drawn}{times}"
