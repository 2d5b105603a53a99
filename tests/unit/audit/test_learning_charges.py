"""Rounds with noise against the privacy ledger: one that was not charged for, or says that it cost less."""

from dataclasses import replace

import pytest

from audit.decisions import settled_streams
from audit.replay import replay_all, replay_stream
from audit.unending import Unending
from domain.learning.budget.commands import Charge
from domain.learning.budget.events import BudgetCharged
from domain.learning.events import RoundAggregated, RoundOpened
from domain.learning.mechanism import Mechanism
from domain.learning.policy import PrivacySpec
from tests.unit.audit.learning_cycle import STREAM, Budgets, Made, announcements, whole

pytest.importorskip("dp_accounting")

CENTRAL = PrivacySpec("differential_privacy", noise_multiplier=8.0, ledger="wards", budget=4.0)
LOCAL = replace(CENTRAL, place="local")
HYBRID = replace(CENTRAL, method="hybrid")
SECRET = replace(CENTRAL, sampling="secret")
GROUPED = replace(CENTRAL, noise_multiplier={"personality": 9.0, "context": 8.0})


def cheaply(composition, delta):
    """An accountant of no theory, where the true one takes long; it grows with every release."""
    return sum(one.count * one.sampling / one.noise_multiplier for one in composition) + delta


async def noised(spec, **fields):
    how = Made.aggregate if spec.place == "local" else Made.aggregate_hidden
    return await whole(how, privacy=spec, **fields)


async def alone(made):
    """The cycle by itself."""
    return await replay_stream(made.reader(), STREAM, made.grounds())


async def among_all(made):
    """The whole log."""
    reader = made.reader()
    unending = Unending(made.budgets.epsilon)
    streams = settled_streams(reader, lambda *_: None, None, unending.take)
    return await replay_all(streams, None, made.grounds(reader), unending)


def changed(events, kind, number=-1, **changes):
    """With the n-th event of that kind saying otherwise; its id."""
    place = [n for n, event in enumerate(events) if isinstance(event.data, kind)][number]
    events[place] = replace(events[place], data=replace(events[place].data, **changes))
    return events[place].id


@pytest.fixture(params=[alone, among_all])
def replayed(request):
    return request.param


@pytest.mark.parametrize(
    "spec", [CENTRAL, LOCAL, HYBRID, GROUPED], ids=["central", "local", "hybrid", "groups"]
)
async def test_a_cycle_whose_every_round_was_charged_for_agrees(replayed, spec):
    found = await replayed(await noised(spec))
    assert found.divergent == []
    assert len(found.learned.releases) == 2


async def test_a_round_without_any_charge_is_named(replayed):
    made = await noised(CENTRAL)
    made.budgets.log = made.budgets.log[:-1]
    found = await replayed(made)
    opened = [event for event in made.log if isinstance(event.data, RoundOpened)][-1]
    assert [(one.event_id, one.type) for one in found.divergent] == [(opened.id, RoundOpened.TYPE)]
    assert found.divergent[0].problem.startswith("privacy.ledger: budget/wards has granted no charge c/2/1/")


async def test_a_cycle_whose_ledger_is_not_on_the_log_is_named_round_by_round(replayed):
    made = await noised(HYBRID)
    made.budgets.log = []
    found = await replayed(made)
    assert [one.type for one in found.divergent] == [RoundOpened.TYPE] * 2


async def test_a_charge_that_was_refused_is_none(replayed):
    """Whoever forges the events goes on where the cycle would have ended."""
    made = await noised(CENTRAL)
    budgets = Budgets()
    for number, charged in enumerate(one for one in made.budgets.log if isinstance(one.data, BudgetCharged)):
        made_again = replace(charge_of(charged), budget=4.0)
        if number:
            made_again = replace(made_again, noise_multiplier=0.01)
        await budgets.charge(made_again)
    made.budgets = budgets
    found = await replayed(made)
    assert len(found.divergent) == 1
    assert "has granted no charge c/2/1/" in found.divergent[0].problem


def charge_of(event):
    """What was asked for, of a charge in one part."""
    said = event.data
    subjects = tuple(sorted(subject for spent in said.spent for subject in spent.subjects))
    one = said.mechanism
    asked = (one.noise_multiplier, one.sampling, one.count)
    return Charge("wards", said.id, subjects, *asked, 1e-5, 4.0)


@pytest.mark.parametrize("cheat", [{"noise_multiplier": 80.0}, {"subjects": ("ann", "bob")}, {"count": 2}])
async def test_a_charge_for_another_release_under_the_same_id_is_named(replayed, cheat):
    made = await noised(CENTRAL, rounds=1)
    asked = charge_of(made.budgets.log[-1])
    made.budgets = Budgets()
    await made.budgets.charge(replace(asked, **cheat))
    found = await replayed(made)
    assert [one.type for one in found.divergent] == [RoundOpened.TYPE]
    assert "but for another release: of other subjects, noise, budget or delta" in found.divergent[0].problem


async def test_a_charge_that_does_not_follow_in_its_ledger_counts_for_none(replayed):
    made = await noised(CENTRAL, rounds=1)
    spent = made.budgets.log[-1].data.spent
    changed(made.budgets.log, BudgetCharged, spent=(replace(spent[0], after=0.001),))
    found = await replayed(made)
    assert (STREAM, RoundOpened.TYPE) in {(one.stream, one.type) for one in found.divergent}


@pytest.mark.parametrize("spec", [CENTRAL, LOCAL, HYBRID], ids=["central", "local", "hybrid"])
async def test_an_epsilon_below_what_the_rounds_cost_is_named(replayed, spec):
    made = await noised(spec)
    privacy = made.log[-2].data.privacy
    event = changed(made.log, RoundAggregated, privacy=replace(privacy, epsilon=privacy.epsilon * 0.99))
    found = await replayed(made)
    assert [one.event_id for one in found.divergent] == [event]
    assert found.divergent[0].problem.startswith("epsilon: recorded 0.")
    assert f"but the rounds so far cost {privacy.epsilon:g}" in found.divergent[0].problem


@pytest.mark.parametrize(
    ("forged", "problem"),
    [
        ({"epsilon": None}, "epsilon: recorded None"),
        ({"delta": 1e-9}, "delta: recorded 1e-09, but the cycle is charged at 1e-05"),
        ({"delta": None}, "delta: recorded None"),
    ],
)
async def test_no_epsilon_and_another_delta_are_named(forged, problem):
    made = await noised(CENTRAL, rounds=1)
    privacy = made.log[-2].data.privacy
    changed(made.log, RoundAggregated, privacy=replace(privacy, **forged))
    found = await alone(made)
    assert [one.problem[: len(problem)] for one in found.divergent] == [problem]


async def test_more_than_the_rounds_cost_may_be_said():
    made = await noised(CENTRAL)
    privacy = made.log[-2].data.privacy
    changed(made.log, RoundAggregated, privacy=replace(privacy, epsilon=privacy.epsilon + 1))
    assert (await alone(made)).divergent == []


async def test_noise_that_left_the_clients_in_an_abandoned_attempt_counts():
    """Each attempt was charged for, and each is in the epsilon: that of one would be less."""
    made = Made(privacy=LOCAL, rounds=1)
    await made.open()
    await made.draw()
    made.abandon()
    await made.draw()
    await made.collect()
    await made.aggregate()
    made.close()
    found = await alone(made)
    assert (found.divergent, len(found.learned.releases)) == ([], 2)
    once = made.budgets.epsilon((Mechanism(8.0),), 1e-5)
    changed(made.log, RoundAggregated, privacy=replace(made.log[-2].data.privacy, epsilon=once))
    assert (await alone(made)).divergent[0].problem.startswith("epsilon: recorded")
    del made.budgets.log[1]  # the first attempt's
    assert "has granted no charge c/1/1/" in "".join(one.problem for one in (await alone(made)).divergent)


def secretly(monkeypatch, spec=SECRET):
    monkeypatch.setattr("activities.privacy.accountant.epsilon", cheaply)
    return Made(privacy=spec, budgets=Budgets(epsilon=cheaply), fleet=announcements(NAMES), seed=4)


NAMES = ("ann", "bob", "cyd", "dan", "eva", "fay")


async def through(made, *sizes):
    """A cycle with rounds drawn from so many clients each."""
    await made.open()
    for size in sizes:
        made.clients = NAMES[:size]
        await made.draw()
        await made.collect(lost=0)
        await made.aggregate_hidden()
    made.close()
    return made


async def test_where_cohorts_are_secret_everybody_pays_for_all_rounds_and_who_comes_later_for_one(
    replayed, monkeypatch
):
    made = await through(secretly(monkeypatch), 5, 6)
    charged = [one.data.id for one in made.budgets.log if isinstance(one.data, BudgetCharged)]
    assert charged[0] == "c"
    assert charged[1].startswith("c/2/1/")
    assert (await replayed(made)).divergent == []
    for left, missing in ((made.budgets.log[:2], "c/2/1/"), ([], "c")):
        made.budgets.log = left
        told = (await replayed(made)).divergent
        assert f"has granted no charge {missing}" in told[-1].problem


async def test_where_cohorts_are_secret_all_pay_for_a_second_attempt_under_hybrid(replayed, monkeypatch):
    """Its noise is not that of the first one, whose masked sum may have been seen."""
    made = secretly(monkeypatch, replace(HYBRID, sampling="secret"))
    made.clients = NAMES
    await made.open()
    await made.draw()
    made.abandon()
    for _ in range(2):
        await made.draw()
        await made.collect(lost=0)
        await made.aggregate_hidden()
    made.close()
    assert (await replayed(made)).divergent == []
    whole_cycle, again = (one.data for one in made.budgets.log if isinstance(one.data, BudgetCharged))
    assert (whole_cycle.id, whole_cycle.mechanism.count, again.mechanism.count) == ("c", 2, 1)
    assert again.id.startswith("c/1/2/")
    assert again.spent[0].subjects == whole_cycle.spent[0].subjects
    made.budgets.log.pop()
    (told,) = (await replayed(made)).divergent
    assert "has granted no charge c/1/2/" in told.problem


async def test_a_whole_cycle_that_was_charged_for_fewer_rounds_or_fewer_subjects_is_named(monkeypatch):
    made = await through(secretly(monkeypatch), 5, 5)
    asked = charge_of(made.budgets.log[1])
    for cheat in ({"count": 1}, {"subjects": asked.subjects[1:]}, {"sampling": 0.01}):
        made.budgets = Budgets(epsilon=cheaply)
        await made.budgets.charge(replace(asked, **cheat))
        assert [one.type for one in (await alone(made)).divergent] == [RoundOpened.TYPE] * 2, cheat


async def test_a_cycle_that_states_no_noise_is_named():
    made = await noised(CENTRAL, rounds=1)
    opened = made.log[0].data
    request = replace(opened.request, privacy=replace(CENTRAL, noise_multiplier=None))
    made.log[0] = replace(made.log[0], data=replace(opened, request=request))
    told = (await alone(made)).divergent
    assert told[0].problem == "noise_multiplier: is not calibrated to epsilon yet"
