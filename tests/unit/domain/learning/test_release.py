"""How releases are charged: the same cohort is the same charge, and a large one is charged in parts."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.learning.budget.commands import MAX_SUBJECTS
from domain.learning.budget.release import attempt_id, charges, cycle_of, in_every_attempt, paid_again
from domain.learning.mechanism import Mechanism
from domain.learning.policy import PrivacySpec

SPEC = PrivacySpec("differential_privacy", delta=1e-6, ledger="wards", budget=3.0)
ONE = Mechanism(4.0, 0.5, 2)


def test_the_same_subjects_in_any_order_are_the_same_charge_and_others_another():
    name = attempt_id("c", 2, 1, ["ben", "ada"])
    assert name == attempt_id("c", 2, 1, {"ada", "ben"}) == "c/2/1/3f238e13e314"
    others = [("c", 2, 2, ["ada", "ben"]), ("c", 1, 1, ["ada", "ben"]), ("c", 2, 1, ["ada"])]
    assert len({name, *(attempt_id(*one) for one in others)}) == 4


def test_a_charge_is_of_the_cycle_s_ledger_and_of_what_the_release_costs():
    (charge,) = charges(SPEC, "c", {"ben", "ada"}, ONE)
    assert (charge.ledger, charge.id, charge.subjects) == ("wards", "c", ("ada", "ben"))
    assert (charge.mechanism, charge.delta, charge.budget) == (ONE, 1e-6, 3.0)


@pytest.mark.parametrize(
    ("spec", "each"),
    [
        (SPEC, False),
        (replace(SPEC, place="local"), True),
        (replace(SPEC, method="hybrid"), True),
    ],
)
def test_of_an_abandoned_attempt_something_was_released_where_clients_noise(spec, each):
    assert in_every_attempt(spec) is each
    assert (paid_again(spec, 1), paid_again(spec, 2)) == (False, each)


def test_nobody_is_charged_nothing():
    assert charges(SPEC, "c", (), ONE) == []


def test_more_than_one_charge_takes_are_charged_in_parts():
    names = [f"s{n:05}" for n in range(2 * MAX_SUBJECTS + 1)]
    parts = charges(SPEC, "c/1/1/x", names, ONE)
    assert [one.id for one in parts] == ["c/1/1/x", "c/1/1/x/part-5000", "c/1/1/x/part-10000"]
    assert [subject for one in parts for subject in one.subjects] == names


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,20}", fullmatch=True), st.sampled_from(["", "/part-5000"]))
def test_whose_whole_cycle_a_charge_is_of_is_told_by_its_id(cycle, part):
    assert cycle_of(cycle + part) == cycle
    assert cycle_of(attempt_id(cycle, 1, 1, ["ada"]) + part) is None
