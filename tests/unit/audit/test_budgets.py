"""A privacy ledger accounted for again from its log: whatever does not follow is named."""

from dataclasses import replace

import pytest

from audit.budgets import replay_ledger
from audit.grounds import Grounds
from audit.replay import replay_stream
from domain.learning.budget.commands import Charge
from domain.learning.budget.decide import charge_budget, compositions
from domain.learning.budget.events import BudgetCharged, BudgetRefused
from domain.learning.budget.state import CLOSED, fold_all
from domain.learning.mechanism import Mechanism, unsampled
from domain.stream import Draft
from tests.fakes.log_reader import MemoryReader
from tests.unit.learning_events import START

STREAM = "budget/wards"


def accountant(composition, delta):
    """Grows with every release."""
    return 1.9 / unsampled(composition)[0] + delta


def charge(name, *subjects, noise=4.0):
    return Charge("wards", name, subjects, noise, 1.0, 1, 1e-5, 1.0)


def kept():
    """Two charges that were granted, and one that was not."""
    draft, state, events = Draft(STREAM, "test", STREAM, "run"), CLOSED, []
    asked = (charge("r1", "ada", "ben"), charge("r2", "ada", "cleo", "cleo"), charge("r3", "ada", noise=2.0))
    for one in asked:
        epsilons = {whole: accountant(whole, 1e-5) for whole in compositions(state, one)}
        made = draft.events(charge_budget(state, one, epsilons), START)
        state, events = fold_all(state, made), [*events, *made]
    return events


def changed(kind, **changes):
    """With the last event of that kind saying otherwise."""
    events = kept()
    place = max(n for n, event in enumerate(events) if isinstance(event.data, kind))
    events[place] = replace(events[place], data=replace(events[place].data, **changes))
    return events, events[place].id


async def test_a_ledger_that_is_as_recorded_agrees():
    reader = MemoryReader()
    reader.append(kept(), "learning")
    found = await replay_stream(reader, STREAM, Grounds(epsilon=accountant))
    assert (found.unending.charges, found.divergent, found.undecided) == (2, [], 0)


def cheaper(spent):
    return tuple(replace(one, after=one.before + 0.001) for one in spent)


def others(spent):
    """The same with another subject that pays alike."""
    return tuple(
        replace(one, subjects=tuple(s.replace("cleo", "dora") for s in one.subjects)) for one in spent
    )


SPENT = next(e.data.spent for e in reversed(kept()) if isinstance(e.data, BudgetCharged))
REFUSED = next(e.data.refused for e in kept() if isinstance(e.data, BudgetRefused))


@pytest.mark.parametrize(
    ("kind", "changes", "problem"),
    [
        (BudgetCharged, {"spent": cheaper(SPENT)}, "after: ada is recorded at 0.476"),
        (BudgetCharged, {"mechanism": Mechanism(400.0)}, "after: ada is recorded at "),
        (BudgetCharged, {"spent": others(SPENT)}, "digest: that of r2 is of another charge"),
        (BudgetCharged, {"digest": "0" * 64}, "digest: that of r2 is of another charge"),
        (BudgetRefused, {"refused": (replace(REFUSED[0], epsilon=0.9),)}, "refused: ada at 0.9 of 1"),
        (BudgetRefused, {"mechanism": Mechanism(0.1)}, "refused: ada at "),
    ],
)
def test_a_charge_that_does_not_follow_is_named(kind, changes, problem):
    events, event = changed(kind, **changes)
    told = replay_ledger(events, accountant).divergent[0]
    assert told.problem.startswith(problem)
    assert (told.stream, told.event_id) == (STREAM, event)


def test_a_charge_left_out_ends_the_replay_at_the_next_one_that_rests_on_it():
    events = kept()
    told = replay_ledger([events[0], *events[2:]], accountant).divergent
    assert [one.problem.split(":")[0] for one in told] == ["before"]


def test_a_ledger_in_the_stream_of_another_is_named():
    events = [replace(event, stream="budget/wing") for event in kept()]
    told = replay_ledger(events, accountant).divergent
    assert [one.problem for one in told] == ["ledger: wards was opened in the stream budget/wing"]
