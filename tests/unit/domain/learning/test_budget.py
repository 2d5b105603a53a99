"""A privacy ledger: nobody passes the budget, whoever asks in whichever order."""

import math
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.consensus.events import BallotCast
from domain.learning.budget import decide, kept
from domain.learning.budget.commands import Charge
from domain.learning.budget.decide import answered, charge_budget, compositions
from domain.learning.budget.events import BudgetCharged, BudgetOpened, BudgetRefused, Overspent, Spent
from domain.learning.budget.state import CLOSED, MAX_ANSWERS, fold, fold_all
from domain.learning.mechanism import Mechanism, unsampled
from domain.refusal import ImpossibleEvent, Refusal
from domain.stream import Draft

AT = datetime(2026, 11, 22, tzinfo=UTC)
OPENED = BudgetOpened("wards", 1.0, 1e-5)
COST = Mechanism(4.0)


def charge(name="r1", subjects=("ada",), noise=4.0, **changes):
    said = {"sampling": 1.0, "count": 1, "delta": 1e-5, "budget": 1.0} | changes
    return Charge("wards", name, tuple(subjects), noise, **said)


def accountant(composition):
    """Grows with every release, which is all that a ledger needs of one."""
    noise, sampled = unsampled(composition)
    return 1.9 / noise + sum(one.count * one.sampling / one.noise_multiplier for one in sampled)


def asked(state, *charges):
    """The ledger after these charges, and all of its events."""
    draft, events = Draft("budget/wards", "test", "budget/wards", "run"), []
    for one in charges:
        epsilons = {whole: accountant(whole) for whole in compositions(state, one)}
        decided = draft.events(charge_budget(state, one, epsilons), AT)
        state, events = fold_all(state, decided), events + decided
    return state, events


def told(*data):
    return Draft("budget/wards", "test", "budget/wards", "run").events(data, AT)


CHARGES = st.lists(
    st.builds(
        charge,
        st.sampled_from([f"r{n}" for n in range(6)]),
        st.lists(st.sampled_from(["ada", "ben", "cleo"]), min_size=1, max_size=4),
        st.sampled_from([2.5, 4.0, 9.0]),
        sampling=st.sampled_from([0.5, 1.0]),
        count=st.integers(1, 3),
    ),
    max_size=7,
    unique_by=lambda one: one.id,
)


@given(CHARGES)
def test_nobody_ever_passes_the_budget(charges):
    state, events = asked(CLOSED, *charges)
    assert all(account.epsilon <= 1.0 for account in state.accounts.values())
    granted = {event.data.id for event in events if isinstance(event.data, BudgetCharged)}
    for subject, account in state.accounts.items():
        releases = sum(one.count for one in charges if one.id in granted and subject in one.subjects)
        assert account.releases == releases
        assert math.isclose(account.epsilon, accountant(account.composition))


@given(CHARGES)
def test_asking_again_changes_nothing_and_is_answered_alike(charges):
    state, events = asked(CLOSED, *charges)
    again, none = asked(state, *charges)
    assert (again, none) == (state, [])
    assert len(events) == len(charges) + bool(charges)


@given(CHARGES)
def test_a_ledger_folded_anew_or_read_from_its_text_is_the_same(charges):
    state, events = asked(CLOSED, *charges)
    assert fold_all(CLOSED, events) == state
    assert kept.read(kept.written(state)) == state


@given(CHARGES)
def test_it_goes_on_alike_from_its_text(charges):
    half, _ = asked(CLOSED, *charges[:5])
    assert asked(half, *charges[5:])[0] == asked(kept.read(kept.written(half)), *charges[5:])[0]


def test_one_that_cannot_pay_keeps_the_others_from_being_charged():
    state, _ = asked(CLOSED, charge("r1", ["ada"], 2.0))
    state, (refused,) = asked(state, charge("r2", ["ada", "ben"], 2.0))
    said = answered(state, charge("r2", ["ada", "ben"], 2.0))
    assert isinstance(refused.data, BudgetRefused)
    assert (said.granted, said.epsilon, said.refusals) == (False, 0.95, 1)
    assert [name for name, _ in said.refused] == ["ada"]
    assert "ben" not in state.accounts


def test_somebody_with_two_clients_pays_for_both():
    once, _ = asked(CLOSED, charge(subjects=["ada"]))
    twice, _ = asked(CLOSED, charge(subjects=["ada", "ada"]))
    assert twice.account("ada").epsilon == 2 * once.account("ada").epsilon


def test_those_who_have_spent_alike_are_told_together():
    _, events = asked(CLOSED, charge("r1", ["ada"], 9.0), charge("r2", ["ben", "ada", "cleo"], 9.0))
    assert [spent.subjects for spent in events[-1].data.spent] == [("ada",), ("ben", "cleo")]


def test_many_subjects_are_told_in_parts_and_granted_as_one(monkeypatch):
    monkeypatch.setattr(decide, "PART", 2)
    early, _ = asked(CLOSED, charge("r0", ["c1", "c3"], 9.0))
    names = [f"c{n}" for n in range(5)]
    state, events = asked(early, charge("r1", names))
    assert [(event.data.part, event.data.parts) for event in events] == [(1, 3), (2, 3), (3, 3)]
    assert all(sum(len(spent.subjects) for spent in event.data.spent) <= 2 for event in events)
    assert sorted(name for event in events for spent in event.data.spent for name in spent.subjects) == names
    assert answered(state, charge("r1", names)).granted
    halfway = fold_all(early, events[:2])
    assert answered(halfway, charge("r1", names)) is None
    with pytest.raises(ValueError, match="in part only"):
        kept.written(halfway)


def test_an_id_used_for_another_release_is_refused():
    state, _ = asked(CLOSED, charge("r1", ["ada"]))
    with pytest.raises(Refusal, match="id: r1 was charged for another release"):
        asked(state, charge("r1", ["ben"]))


@pytest.mark.parametrize("changes", [{"budget": 5.0}, {"delta": 1e-3}])
def test_a_ledger_keeps_to_its_first_budget_and_delta(changes):
    state, _ = asked(CLOSED, charge("r1"))
    with pytest.raises(Refusal, match="the ledger wards has"):
        asked(state, charge("r2", **changes))


def test_more_names_than_one_ledger_can_hold_are_refused(monkeypatch):
    monkeypatch.setattr(decide, "MAX_NAMES", 7)
    state, _ = asked(CLOSED, charge("r1", ["ada", "ben"]))
    with pytest.raises(Refusal, match="subjects: 10 characters of names"):
        asked(state, charge("r2", ["cleo"]))


def test_only_the_newest_answers_are_remembered():
    charges = [charge(f"r{n}", noise=500.0) for n in range(MAX_ANSWERS + 3)]
    state, _ = asked(CLOSED, *charges)
    assert list(state.answers) == [f"r{n}" for n in range(3, MAX_ANSWERS + 3)]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "a b"}, "id"),
        ({"name": ""}, "id"),
        ({"subjects": []}, "subjects"),
        ({"subjects": ["a/b"]}, "subjects"),
        ({"subjects": ["a"] * 5_001}, "subjects"),
        ({"noise": 0.0}, "noise_multiplier"),
        ({"sampling": 0.0}, "sampling"),
        ({"count": 0}, "count"),
        ({"delta": 0.0}, "delta"),
        ({"budget": math.nan}, "budget"),
    ],
)
def test_a_charge_that_cannot_be_is_refused_by_name(changes, field):
    with pytest.raises(Refusal) as refused:
        charge(**changes)
    assert refused.value.field == field


def spent(before=0.0, after=0.5, subjects=("ada",)):
    return Spent(subjects, 1, before, after)


def charged(*spending, name="r1", part=1, parts=1, digest="d"):
    return BudgetCharged(name, digest, COST, spending, part, parts)


REFUSED = BudgetRefused("r1", "d", COST, 1, 1, (Overspent("ada", 2.0),), 0.0)


@pytest.mark.parametrize(
    "data",
    [
        [BallotCast("ada", 1, "a")],
        [charged(spent())],
        [OPENED, OPENED],
        [OPENED, charged(spent(after=1.1))],
        [OPENED, charged(spent(before=0.1))],
        [OPENED, charged(spent(), part=2, parts=2)],
        [OPENED, charged(spent(), parts=2), charged(spent(), name="r2", part=2, parts=2)],
        [OPENED, charged(spent(), parts=2), charged(spent(), digest="e", part=2, parts=2)],
        [OPENED, charged(spent(), parts=2), REFUSED],
        [OPENED, charged(spent()), charged(spent(before=0.5))],
        [OPENED, charged(spent(), parts=0)],
        [OPENED, charged(spent()), REFUSED],
    ],
)
def test_what_no_ledger_would_write_cannot_be_folded(data):
    *before, last = told(*data)
    state = fold_all(CLOSED, before)
    with pytest.raises(ImpossibleEvent):
        fold(state, last)


def test_a_ledger_that_was_never_charged_is_an_empty_text():
    assert kept.read(kept.written(CLOSED)) == CLOSED


def test_the_digest_tells_charges_apart_and_not_the_order_of_subjects():
    assert charge(subjects=["ada", "ben"]).digest == charge(subjects=["ben", "ada"]).digest
    others = [charge(noise=5.0), charge(subjects=["ada", "ada"]), replace(charge(), ledger="other")]
    assert len({one.digest for one in (charge(), *others)}) == 4
