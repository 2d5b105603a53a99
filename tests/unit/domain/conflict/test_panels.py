"""Who sits: as many as a level asks for, from where it asks, drawn again alike, no party, nobody twice."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.conflict.events import Member
from domain.conflict.levels import level
from domain.conflict.panels import draw_annulment, draw_level, may_sit, seed_of, voters_of
from domain.consensus.commands import Voter
from domain.refusal import Refusal
from tests.unit.domain.conflict.given import CASE, crowd, member
from tests.unit.drawing import examples

EU = CASE.case
BOTH = replace(EU, regions=("eu", "us"))
CROWD = crowd()
REGION = {one.id: one.region for one in CROWD}


def names(draw):
    return [seat.voter for seat in draw.panel]


@examples(50)
@given(st.permutations(CROWD), st.integers(0, 2**63 - 1), st.sampled_from([2, 3, 4]))
def test_the_same_members_in_any_order_give_the_same_panel(shuffled, seed, number):
    drawn = draw_level(level(number), EU, CROWD, (), seed)
    assert draw_level(level(number), EU, shuffled, (), seed) == drawn
    assert len(drawn.panel) == level(number).seats
    assert drawn.shortage == ""


def test_a_draw_is_pinned_because_an_audit_repeats_it():
    assert names(draw_level(level(2), EU, CROWD, (), 7)) == ["m12", "m33", "m27"]
    assert names(draw_level(level(3), EU, CROWD, (), 7)) == ["m14", "m31", "m17", "m26", "m34", "m25", "m32"]


def test_another_case_level_or_seed_draws_another_panel():
    seeds = {
        seed_of(case, part, seed) for case in ("c1", "c2") for part in (2, "annulment-1") for seed in (0, 1)
    }
    assert len(seeds) == 8
    assert all(0 <= seed < 2**63 for seed in seeds)


@examples(50)
@given(st.integers(0, 1_000))
def test_level_2_sits_from_the_home_region_and_level_3_from_two_without_a_stake(seed):
    assert {REGION[name] for name in names(draw_level(level(2), BOTH, CROWD, (), seed))} == {"eu"}
    assert {REGION[name] for name in names(draw_level(level(3), EU, CROWD, (), seed))} == {"us", "asia"}
    court = names(draw_level(level(4), BOTH, CROWD, (), seed))
    assert len(court) == 15


@examples(50)
@given(st.integers(0, 1_000))
def test_a_lone_member_of_a_second_region_gets_the_last_seat(seed):
    members = [*(member(number, region="us") for number in range(30)), member(30, region="asia")]
    drawn = draw_level(level(3), EU, members, (), seed)
    assert [seat.region for seat in drawn.panel].count("asia") == 1
    assert len(set(names(drawn))) == 7


def test_draws_over_seeds_leave_nobody_out():
    seats = Counter(name for seed in range(200) for name in names(draw_level(level(4), EU, CROWD, (), seed)))
    assert set(seats) == set(REGION)


@pytest.mark.parametrize(
    ("number", "case", "members", "shortage"),
    [
        (2, EU, crowd(6), "2 members of region eu may sit, 3 are needed"),
        (3, EU, crowd(9), "6 members in 2 other regions may sit, 7 in 2 are needed"),
        (3, BOTH, crowd(45), "15 members in 1 other regions may sit, 7 in 2 are needed"),
        (3, EU, (), "0 members in 0 other regions may sit, 7 in 2 are needed"),
    ],
)
def test_too_few_members_make_no_panel_and_the_numbers_are_told(number, case, members, shortage):
    drawn = draw_level(level(number), case, members, (), 0)
    assert drawn.panel == ()
    assert drawn.shortage == shortage


@pytest.mark.parametrize(("count", "short"), [(0, "0 of 15"), (9, "9 of 15"), (14, "14 of 15")])
def test_the_highest_level_sits_with_everyone_and_says_the_number(count, short):
    drawn = draw_level(level(4), EU, crowd(count), (), 0)
    assert len(drawn.panel) == drawn.candidates == count
    assert drawn.shortage == f"everyone who may sit: {short} seats"


def test_members_without_a_region_sit_only_on_the_highest_level():
    nowhere = tuple(replace(one, region=None) for one in crowd(20))
    assert draw_level(level(2), EU, nowhere, (), 0).panel == ()
    assert draw_level(level(3), EU, nowhere, (), 0).panel == ()
    assert len(draw_level(level(4), EU, nowhere, (), 0).panel) == 15


def test_parties_their_nodes_and_who_sat_are_left_out():
    members = (
        Voter("ann"),
        Voter("m01"),
        Voter("m02"),
        Voter("m03", kind="reasoner", node="bob"),
        Voter("m04", kind="reasoner", node="eu-1"),
    )
    assert [one.id for one in may_sit(members, EU, {"m01"})] == ["m02", "m04"]
    assert [one.id for one in may_sit((*members, *members), EU, {"m01"})] == ["m02", "m04"]


def test_three_new_members_hear_an_annulment_or_none():
    sat = set(names(draw_level(level(4), EU, CROWD, (), 0)))
    drawn = draw_annulment(EU, CROWD, sat, 1, 0)
    assert len(set(names(drawn)) - sat) == 3
    assert names(draw_annulment(EU, CROWD, sat, 2, 0)) != names(drawn)
    short = draw_annulment(EU, crowd(17), {one.id for one in crowd(15)}, 1, 0)
    assert (short.panel, short.shortage) == ((), "2 new members may sit, 3 are needed")


def test_whoever_was_drawn_is_handed_on_with_the_ballots_it_brings():
    assert voters_of((Member("m03"), Member("m01")), CROWD) == (CROWD[3], CROWD[1])
    with pytest.raises(Refusal, match=r"^members: m99 was drawn, but is not among the members any more$"):
        voters_of((Member("m99"),), CROWD)
