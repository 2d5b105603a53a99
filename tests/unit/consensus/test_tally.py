"""Counting is exact, blind to order, and breaks no tie."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.consensus.events import Seat, Support
from domain.consensus.policy import Policy
from domain.consensus.tally import ballots_needed, count, equivocating, exact, plurality
from tests.unit.consensus.given import ballot

CHOICES = ("red", "green", "blue")
WEIGHTS = st.sampled_from([1.0, 0.1, 0.2, 0.3, 1 / 3, 0.000001, 5e8]) | st.floats(1e-6, 1e9)


def counted(said, policy=None, weights=None, *, posterior=None, silent=0):
    """One voter for each entry of `said`; None abstains."""
    weights = weights or [1.0] * len(said)
    panel = [Seat(f"v{number}", weight) for number, weight in enumerate(weights)]
    panel += [Seat(f"silent{number}") for number in range(silent)]
    cast = [ballot(f"v{number}", choice) for number, choice in enumerate(said)]
    return count(panel, policy or Policy(), cast, CHOICES, posterior)


def split(ayes, noes, policy=None):
    """So many equal ballots on each side, told as two voters who weigh as much."""
    return counted(["red", "green"], policy, [float(ayes), float(noes)])


@pytest.mark.parametrize(
    ("ayes", "noes", "threshold", "passes"),
    [
        (3, 1, 0.75, True),
        (7_499, 2_501, 0.75, False),
        (7_500, 2_500, 0.75, True),
        (9, 1, 0.9, True),
        (89, 11, 0.9, False),
        (7, 3, 0.7, True),
        (2, 1, 2 / 3, True),
        (2, 1, 0.6667, False),
        (1, 0, 1.0, True),
        (99, 1, 1.0, False),
    ],
)
def test_exactly_the_threshold_passes_and_less_does_not(ayes, noes, threshold, passes):
    result = split(ayes, noes, Policy(threshold=threshold))
    assert result.reached is passes
    assert result.leading == ("red",)
    assert result.agreement == pytest.approx(ayes / (ayes + noes))


def test_nine_of_ten_equal_ballots_pass_nine_tenths():
    assert counted(["red"] * 9 + ["green"], Policy(threshold=0.9)).reached
    assert not counted(["red"] * 89 + ["green"] * 11, Policy(threshold=0.9)).reached


def test_decimal_weights_add_up_as_decimals():
    """0.1 + 0.2 is 0.3 here, and three such of four tenths are three quarters."""
    result = counted(["red", "red", "green"], weights=[0.1, 0.2, 0.1])
    assert result.tally == (Support("red", 0.3, 2), Support("green", 0.1, 1))
    assert (result.agreement, result.reached) == (0.75, True)
    assert counted(["red"] * 3 + ["green"], weights=[0.1, 0.1, 0.1, 0.3]).leading == ("green", "red")


def test_a_share_below_the_threshold_never_reads_as_the_threshold():
    assert split(74_999, 25_001).reason == "the leading choice has 0.7499, the threshold is 0.75"
    assert split(3, 1).reason == "the leading choice has 0.7500, the threshold 0.75 is reached"
    assert "the threshold is 0.6666667" in split(2, 1, Policy(threshold=0.6666667)).reason


@given(st.lists(st.sampled_from([*CHOICES, None, "mauve"]), min_size=1, max_size=8), st.data())
def test_the_order_of_ballots_never_changes_the_count(said, data):
    weights = data.draw(st.lists(WEIGHTS, min_size=len(said), max_size=len(said)))
    panel = [Seat(f"v{number}", weight) for number, weight in enumerate(weights)]
    cast = [ballot(f"v{number}", choice) for number, choice in enumerate(said)]
    cast += [ballot("v0", data.draw(st.sampled_from(CHOICES)))]
    policy = Policy(threshold=data.draw(st.sampled_from([0.5, 0.75, 1.0])))
    result = count(panel, policy, cast, CHOICES)
    shuffled = data.draw(st.permutations(cast))
    options = data.draw(st.permutations(CHOICES))
    assert count(data.draw(st.permutations(panel)), policy, shuffled, options) == result
    assert plurality(shuffled) == plurality(cast)


@given(st.lists(st.tuples(st.sampled_from(CHOICES), WEIGHTS), min_size=1, max_size=8))
def test_the_count_is_that_of_exact_fractions(votes):
    said, weights = [choice for choice, _ in votes], [weight for _, weight in votes]
    result = counted(said, Policy(threshold=0.5), weights)
    sums = {c: sum((exact(w) for choice, w in votes if choice == c), Fraction(0)) for c in set(said)}
    best = max(sums.values())
    assert result.leading == tuple(sorted(c for c, weight in sums.items() if weight == best))
    assert result.agreement == float(best / sum(sums.values()))
    assert {s.choice: s.weight for s in result.tally} == {c: float(weight) for c, weight in sums.items()}
    assert result.reached == (len(result.leading) == 1 and best * 2 >= sum(sums.values()))
    assert [s.weight for s in result.tally] == sorted((s.weight for s in result.tally), reverse=True)


@given(st.lists(st.sampled_from(CHOICES), min_size=1, max_size=9), st.sampled_from([0.01, 0.3, 0.5]))
def test_nothing_breaks_a_tie(said, threshold):
    result = counted(said, Policy(threshold=threshold))
    most = max(said.count(choice) for choice in CHOICES)
    tied = tuple(sorted(choice for choice in CHOICES if said.count(choice) == most))
    assert result.leading == plurality([ballot(f"v{n}", c) for n, c in enumerate(said)]) == tied
    if len(tied) > 1:
        assert not result.reached
        assert result.reason == f"a tie of {len(tied)} choices"


def test_abstentions_and_silence_count_against_the_quorum_and_not_against_agreement():
    result = counted(["red", None, None], silent=1)
    assert (result.cast, result.abstained, result.agreement) == (1, 3, 1.0)
    assert result.reason == "1 of 4 cast a ballot, the quorum is 0.5 of the panel"
    assert counted(["red", "red", None], silent=1).reached
    assert counted(["red"], Policy(quorum=0.0), silent=9).reached


def test_the_quorum_is_a_decimal_too():
    assert counted(["red"] * 7, Policy(quorum=0.7), silent=3).reached
    assert not counted(["red"] * 6, Policy(quorum=0.7), silent=4).reached


@pytest.mark.parametrize("quorum", [0.0, 0.5])
def test_no_ballot_at_all_decides_nothing(quorum):
    result = counted([None, None], Policy(quorum=quorum))
    assert (result.tally, result.leading, result.agreement, result.reached) == ((), (), 0.0, False)
    assert result.reason == "none of 2 cast a ballot"


def test_voters_without_any_weight_decide_nothing():
    result = counted(["red", "green"], weights=[0.0, 0.0])
    assert (result.leading, result.agreement, result.reached) == ((), 0.0, False)
    assert result.reason == "no weight stands behind any choice"
    assert counted(["red", "green"], weights=[0.0, 0.5]).leading == ("green",)


def test_a_choice_that_is_no_option_is_an_abstention():
    result = counted(["red", "mauve", "red"])
    assert (result.tally, result.cast, result.abstained) == ((Support("red", 2.0, 2),), 2, 1)
    assert result.equivocators == ()


def test_both_ballots_of_an_equivocator_count_for_none():
    panel = [Seat(voter) for voter in ("ann", "bob", "cem")]
    cast = [ballot("cem", "red"), ballot("ann", "red"), ballot("bob", "green"), ballot("cem", "green")]
    result = count(panel, Policy(), cast, CHOICES)
    assert result.equivocators == ("cem",)
    assert result.tally == (Support("green", 1.0, 1), Support("red", 1.0, 1))
    assert (result.cast, result.abstained) == (2, 1)
    assert plurality(cast) == ("green", "red")


def test_the_same_choice_twice_is_one_ballot_and_no_equivocation():
    cast = [
        ballot("ann", "red", reason="first"),
        ballot("ann", "red", reason="again"),
        ballot("bob", "green"),
    ]
    assert equivocating(cast) == ()
    result = count([Seat("ann"), Seat("bob")], Policy(), cast, CHOICES)
    assert result.tally == (Support("green", 1.0, 1), Support("red", 1.0, 1))
    assert plurality(cast) == ("green", "red")


def test_to_abstain_and_to_choose_in_one_round_is_to_equivocate():
    assert equivocating([ballot("zoe", None), ballot("zoe", "red"), ballot("ann", "red")]) == ("zoe",)
    both = [ballot("zoe", "red"), ballot("zoe", "blue"), ballot("ann", None), ballot("ann", "red")]
    assert equivocating(both) == ("ann", "zoe")


def test_a_ballot_of_someone_off_the_panel_weighs_nothing():
    assert counted(["red"]).tally == count([Seat("v0")], Policy(), [ballot("v0", "red")], CHOICES).tally
    assert count([Seat("ann")], Policy(), [ballot("eve", "red")], CHOICES).tally == ()


def test_a_posterior_stands_in_for_the_shares_of_weight():
    said = ["red", "red", "green"]
    result = counted(said, posterior={"green": 0.8, "red": 0.15, "blue": 0.04})
    assert (result.leading, result.agreement, result.reached) == (("green",), 0.8, True)
    assert result.tally == (Support("green", 0.8, 1), Support("red", 0.15, 2), Support("blue", 0.04, 0))
    short = counted(said, posterior={"green": 0.7499, "red": 0.2501})
    assert not short.reached
    assert counted(said, posterior={"green": 0.5, "red": 0.5}).leading == ("green", "red")


def test_plurality_of_nothing_is_nothing():
    assert plurality([]) == ()
    assert plurality([ballot("ann", None)]) == ()


@pytest.mark.parametrize(
    ("policy", "seats", "needed"),
    [
        (Policy(), 9, 0),
        (Policy(fault_model="crash"), 4, 3),
        (Policy(fault_model="crash"), 5, 3),
        (Policy(fault_model="byzantine", faults=1), 4, 3),
        (Policy(fault_model="byzantine", faults=2), 7, 5),
        (Policy(fault_model="stake", stake_cap=0.5), 4, 2),
        (Policy(fault_model="stake", stake_cap=0.75), 4, 1),
        (Policy(fault_model="stake", stake_cap=1.0), 4, 1),
    ],
)
def test_each_fault_model_asks_for_its_number_of_equal_ballots(policy, seats, needed):
    assert ballots_needed(policy, seats) == needed


def test_too_few_equal_ballots_are_named_with_the_fault_model():
    policy = Policy(fault_model="byzantine", faults=1)
    result = counted(["red", "red"], policy, silent=2)
    assert not result.reached
    assert result.reason == "2 ballots agree, fault model byzantine needs 3"
    assert counted(["red"] * 3, policy, silent=1).reached


def test_a_model_this_release_does_not_know_is_never_counted_as_no_model():
    unknown = replace(Policy(), fault_model="rational")
    with pytest.raises(AssertionError):
        ballots_needed(unknown, 4)


def test_under_a_model_a_voter_whose_own_labels_tie_has_taken_part():
    panel = [Seat("v0"), Seat("v1"), Seat("v2")]
    torn = [replace(ballot(seat.voter, None), labels=("red", "green")) for seat in panel]
    modelled = count(panel, Policy(quorum=1.0), torn, CHOICES, {"red": 0.9, "green": 0.1})
    assert (modelled.cast, modelled.abstained, modelled.reached) == (3, 0, True)
    assert not count(panel, Policy(quorum=1.0), torn, CHOICES).reached
