"""The draw: replayable, by expertise and region first, with weights that nobody can inflate."""

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.consensus.commands import Voter
from domain.consensus.events import Seat
from domain.consensus.panel import bounded_stakes, draw_panel
from domain.consensus.policy import Policy
from domain.consensus.tally import exact
from domain.refusal import Refusal
from tests.unit.drawing import examples

CROWD = tuple(
    Voter(f"v{number}", region=("eu", "us", None)[number % 3], expertise=("law", "tax")[: number % 2 + 1])
    for number in range(24)
)
TAX = tuple(voter for voter in CROWD if "tax" in voter.expertise)
STAKES = st.lists(st.floats(1e-3, 1e6) | st.sampled_from([0.1, 0.2, 0.3, 1.0]), min_size=1, max_size=7)
CAPS = st.floats(0.01, 1.0) | st.sampled_from([0.25, 0.3333, 0.34, 0.5])


def drawn(seed=0, size=5, topic="general", region=None, candidates=CROWD):
    panel = draw_panel(candidates, Policy(seed=seed, panel_size=size), topic, region)
    return [seat.voter for seat in panel]


@examples(50)
@given(st.permutations(CROWD), st.integers(0, 2**63 - 1), st.integers(1, 24))
def test_the_same_candidates_in_any_order_give_the_same_panel(shuffled, seed, size):
    assert drawn(seed, size, "tax", "eu", shuffled) == drawn(seed, size, "tax", "eu")


def test_a_draw_is_pinned_because_an_audit_repeats_it():
    assert drawn(7, 4, "tax", "eu") == ["v15", "v3", "v9", "v21"]


def test_panels_differ_over_seeds_and_leave_nobody_out():
    panels = [frozenset(drawn(seed)) for seed in range(200)]
    assert len(set(panels)) > 190
    seats = Counter(voter for panel in panels for voter in panel)
    assert set(seats) == {voter.id for voter in CROWD}
    assert max(seats.values()) < 3 * min(seats.values())


@examples(50)
@given(st.integers(0, 1_000), st.integers(1, 24))
def test_experts_go_before_others_and_the_region_before_others_of_equal_expertise(seed, size):
    known = {voter.id: voter for voter in CROWD}
    panel = [known[voter] for voter in drawn(seed, size, "tax", "eu")]
    ranks = [("tax" not in voter.expertise, voter.region != "eu") for voter in panel]
    assert ranks == sorted(ranks)
    assert len(panel) == size
    assert sum("tax" in voter.expertise for voter in panel) == min(size, len(TAX))


@examples(50)
@given(st.integers(0, 1_000))
def test_without_a_region_no_region_goes_first(seed):
    plain = [Voter(voter.id) for voter in CROWD]
    assert drawn(seed, 24) == drawn(seed, 24, candidates=plain)


def test_everyone_sits_where_no_size_is_asked_for():
    assert {seat.voter for seat in draw_panel(CROWD, Policy(), "tax", None)} == {v.id for v in CROWD}
    assert draw_panel(CROWD[:1], Policy(), "tax", None) == (Seat("v0", 1.0, "eu"),)


@pytest.mark.parametrize(
    ("field", "says", "candidates", "policy"),
    [
        ("policy.panel_size", "25 seats, but only 24", 24, Policy(panel_size=25)),
        ("voters", "a panel of 501 is too large, at most 500", 501, Policy()),
        (
            "policy.faults",
            r"a panel of 3 cannot bear 1 byzantine voters, 4 are needed",
            3,
            Policy(fault_model="byzantine", faults=1),
        ),
        (
            "policy.faults",
            "a panel of 6 cannot bear 2 byzantine voters, 7 are needed",
            24,
            Policy(fault_model="byzantine", faults=2, panel_size=6),
        ),
        (
            "policy.stake_cap",
            "3 voters cannot each hold at most 0.3",
            3,
            Policy(fault_model="stake", stake_cap=0.3),
        ),
    ],
)
def test_a_panel_that_cannot_be_is_refused_by_name(field, says, candidates, policy):
    voters = tuple(Voter(f"v{number}") for number in range(candidates))
    with pytest.raises(Refusal, match=says) as caught:
        draw_panel(voters, policy, "general", None)
    assert caught.value.field == field


def test_a_panel_just_large_enough_is_drawn():
    voters = tuple(Voter(f"v{number}") for number in range(500))
    assert len(draw_panel(voters, Policy(), "general", None)) == 500
    assert len(draw_panel(voters[:7], Policy(fault_model="byzantine", faults=2), "general", None)) == 7


def test_reputation_weighs_a_seat_and_an_unknown_voter_weighs_one_half():
    voters = (Voter("ann"), Voter("bob"), Voter("cem"))
    known = {"ann": 0.987_654_321, "cem": 1e-12}
    panel = draw_panel(voters, Policy(weighting="reputation"), "general", None, known)
    assert {seat.voter: seat.weight for seat in panel} == {"ann": 0.987654, "bob": 0.5, "cem": 1e-6}
    equal = draw_panel(voters, Policy(), "general", None, known)
    assert {seat.weight for seat in equal} == {1.0}


def test_stakes_are_bounded_on_the_panel_that_was_drawn():
    voters = (Voter("ann", weight=100.0), Voter("bob", weight=2.0), Voter("cem", weight=1.0))
    panel = draw_panel(voters, Policy(fault_model="stake", stake_cap=0.5), "general", None)
    assert {seat.voter: seat.weight for seat in panel} == {"ann": 3.0, "bob": 2.0, "cem": 1.0}
    free = draw_panel(voters, Policy(fault_model="stake", stake_cap=1.0), "general", None)
    assert {seat.voter: seat.weight for seat in free} == {"ann": 100.0, "bob": 2.0, "cem": 1.0}


@examples(50)
@given(STAKES, CAPS)
def test_bounded_stakes_keep_their_laws(stakes, cap):
    assume(exact(cap) * len(stakes) >= 1)
    bounded = bounded_stakes(stakes, cap)
    total = sum(map(exact, bounded), Fraction(0))
    assert all(exact(stake) <= exact(cap) * total for stake in bounded)
    assert all(after <= before for before, after in zip(stakes, bounded, strict=True))
    lowered = {after for before, after in zip(stakes, bounded, strict=True) if after < before}
    assert len(lowered) <= 1, "the smaller stakes are untouched, the larger share one level"
    assert not lowered or max(bounded) in lowered
    pairs = list(zip(stakes, bounded, strict=True))
    assert all(low[1] <= high[1] for low in pairs for high in pairs if low[0] <= high[0])
    assert bounded_stakes(bounded, cap) == bounded


@examples(50)
@given(STAKES, CAPS)
def test_no_more_is_taken_from_a_stake_than_the_cap_demands(stakes, cap):
    assume(exact(cap) * len(stakes) >= 1)
    bounded = bounded_stakes(stakes, cap)
    total = sum(bounded)
    for before, after in zip(stakes, bounded, strict=True):
        assert after == before or after == pytest.approx(cap * total)


@examples(50)
@given(STAKES, CAPS, st.sampled_from([0.25, 2.0, 1024.0]))
def test_the_unit_of_stakes_does_not_matter(stakes, cap, unit):
    assume(exact(cap) * len(stakes) >= 1)
    scaled = bounded_stakes([stake * unit for stake in stakes], cap)
    assert scaled == pytest.approx([stake * unit for stake in bounded_stakes(stakes, cap)])


@examples(50)
@given(STAKES, CAPS)
def test_a_cap_that_too_few_voters_can_respect_is_refused(stakes, cap):
    assume(exact(cap) * len(stakes) < 1)
    with pytest.raises(Refusal, match=r"^policy\.stake_cap: "):
        bounded_stakes(stakes, cap)


def test_a_level_that_no_float_holds_is_cut_and_not_rounded():
    bounded = bounded_stakes([10.0, 1.0, 1.0, 1.0], 0.3)
    assert exact(bounded[0]) / sum(map(exact, bounded)) <= Fraction(3, 10)
    assert bounded[0] == pytest.approx(9 / 7)


def test_more_ballots_than_fit_one_outcome_are_refused_by_name():
    crowd = [Voter(f"v{number}") for number in range(500)]
    draw_panel(crowd, Policy(max_rounds=10), "general", None)
    with pytest.raises(Refusal, match=r"policy.max_rounds: 500 seats over 11 rounds are 5500 ballots"):
        draw_panel(crowd, Policy(max_rounds=11), "general", None)
