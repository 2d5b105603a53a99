"""A privacy ledger that is charged while all is killed: by two at once, until both are answered."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from temporalio.client import Client

from domain.event import Event
from domain.learning.budget.commands import Charge, Charged
from domain.learning.budget.events import BudgetCharged, BudgetRefused
from domain.learning.events import RoundAggregated
from tests.faults.callers import answered
from workers.budgets import TemporalBudgets

SUBJECTS = ("ada", "ben")


class Spending:
    """Of a ledger of the name given; the first few charges fit its budget of 1, and the others do not."""

    def __init__(self, client: Client, ledger: str) -> None:
        self._budgets, self._ledger = TemporalBudgets(client), ledger
        self._asked: list[asyncio.Task[list[Charged]]] = []

    def more(self) -> None:
        """Begin with one more charge, which two callers ask for."""
        name = f"r{len(self._asked)}"
        charge = Charge(self._ledger, name, SUBJECTS, 8.0, sampling=1.0, count=1, delta=1e-5, budget=1.0)
        self._asked.append(asyncio.create_task(self._twice(charge)))

    async def answers(self) -> list[list[Charged]]:
        """What both callers of each charge were answered, once they all are."""
        return list(await asyncio.gather(*self._asked))

    def stop(self) -> None:
        for task in self._asked:
            task.cancel()

    async def _twice(self, charge: Charge) -> list[Charged]:
        async def ask() -> Charged:
            return await answered(lambda: self._budgets.charge(charge), within=240)

        return list(await asyncio.gather(ask(), ask()))


def overspent(events: Sequence[Event], answers: Sequence[Sequence[Charged]]) -> list[str]:
    """What is wrong with the ledger's stream, given what its callers were told."""
    told = Counter(e.data.id for e in events if isinstance(e.data, BudgetCharged | BudgetRefused))
    found = [f"the charge {name} is on the log {n} times" for name, n in told.items() if n > 1]
    if len(told) != len(answers):
        found.append(f"{len(told)} of {len(answers)} charges are on the log")
    granted = [e.data for e in events if isinstance(e.data, BudgetCharged)]
    steps = [(one.before, one.after) for data in granted for one in data.spent]
    if any(after != before for (_, after), (before, _) in pairwise(steps)):
        found.append(f"the spent epsilon jumps: {steps}")
    for number, (one, other) in enumerate(answers):
        if one != other or one.granted != any(data.id == f"r{number}" for data in granted):
            found.append(f"r{number} was answered {one} and {other}")
    if sum(one.granted for one, _ in answers) != len(granted) or any(after > 1 for _, after in steps):
        found.append(f"{len(granted)} were granted, up to {steps[-1:]}")
    return found


def charged_apart(ledger: Sequence[Event], cycle: Sequence[Event]) -> list[str]:
    """What is wrong with a noised cycle's charges: one that is there twice, a round that none is for.

    A cohort that was charged and not recorded before a kill stays charged beside the next one: two ids.
    """
    charges = Counter(e.data.id for e in ledger if isinstance(e.data, BudgetCharged))
    found = [f"the charge {name} is on the log {n} times" for name, n in charges.items() if n > 1]
    name = cycle[0].data.request.id
    rounds = [e.data for e in cycle if isinstance(e.data, RoundAggregated)]
    places = [f"{name}/{one.round}/{one.attempt}/" for one in rounds]
    unpaid = [place for place in places if not any(charge.startswith(place) for charge in charges)]
    return [*found, *(f"{place} was not paid for" for place in unpaid)]
