"""What each fault model guarantees for f of n faulty voters, and where no guarantee is claimed.

docs/explanation/guarantees.md says the same in words.
"""

from itertools import product

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from domain.consensus.commands import OpenDeliberation, Voter
from domain.consensus.decide import open_deliberation
from domain.consensus.events import Score, Seat
from domain.consensus.policy import Policy
from domain.consensus.replay import replay
from domain.consensus.state import NOT_OPENED, fold_all
from domain.consensus.tally import count
from domain.refusal import Refusal
from tests.unit.consensus.given import Sitting, ballot, refold
from tests.unit.drawing import examples

BYZANTINE = {"fault_model": "byzantine", "faults": 1}
FOUR = ("ann", "bob", "cem", "dee")


def reached(said, policy, weights=None):
    """`said`: each voter's choices of one round; two differing ones are an equivocation, none is silence."""
    weights = weights or [1.0] * len(said)
    panel = [Seat(f"v{number}", weight) for number, weight in enumerate(weights)]
    cast = [ballot(f"v{number}", choice) for number, choices in enumerate(said) for choice in choices]
    result = count(panel, policy, cast, ("right", "wrong"))
    return result.leading[0] if result.reached else None


@pytest.mark.parametrize(("n", "f"), [(1, 1), (3, 1), (6, 2), (9, 3)])
def test_a_byzantine_panel_that_is_too_small_is_refused(n, f):
    policy = Policy(fault_model="byzantine", faults=f)
    voters = tuple(Voter(f"v{number}") for number in range(n))
    with pytest.raises(
        Refusal, match=rf"policy\.faults: a panel of {n} cannot bear {f} .* {3 * f + 1} are needed"
    ):
        open_deliberation(OpenDeliberation("q", "Is it so?", ("yes", "no"), voters, policy=policy))
    one_more = (*voters, *(Voter(f"w{number}") for number in range(3 * f + 1 - n)))
    assert open_deliberation(OpenDeliberation("q", "Is it so?", ("yes", "no"), one_more, policy=policy))


def equivocated(threshold=0.75):
    """One of four hands in two different ballots; the others agree."""
    sitting = Sitting.of(*FOUR, threshold=threshold, **BYZANTINE)
    sitting.cast("dee", "no")
    sitting.round(ann="yes", bob="yes", cem="yes", dee="yes")
    sitting.conclude()
    return sitting


def test_one_equivocator_of_four_stops_no_decision_and_every_reader_finds_the_same():
    sitting = equivocated()
    log = sitting.log
    assert sitting.state.decided.consensus == "yes"
    for cut in range(len(log) + 1):
        assert fold_all(fold_all(NOT_OPENED, log[:cut]), log[cut:]) == refold(log)
    state, divergence = replay(log)
    assert divergence is None
    assert state.decided == sitting.state.decided


def test_an_equivocator_stands_on_the_record_with_both_ballots_counts_for_none_and_pays():
    state = equivocated().state
    assert [c.ballot.choice for c in state.ballots if c.ballot.voter == "dee"] == ["no", "yes"]
    assert len(state.decided.ballots) == 5, "the outcome cites both"
    assert state.last_round.equivocators == ("dee",)
    assert [(s.choice, s.weight, s.ballots) for s in state.last_round.tally] == [("yes", 3.0, 3)]
    assert Score("dee", right=False, equivocated=True) in state.decided.scores


def test_an_equivocator_pays_even_where_nothing_was_decided():
    sitting = Sitting.of(*FOUR, max_rounds=1, **BYZANTINE)
    sitting.cast("dee", "no")
    sitting.round(ann="yes", bob="no", cem="yes", dee="yes")
    decided = sitting.conclude()
    assert decided.status == "unresolved"
    assert decided.scores == (Score("dee", right=False, equivocated=True),)


VOTES = [(), ("right",), ("wrong",), ("right", "wrong")]


@examples(75)
@forall(st.integers(1, 3), st.integers(0, 3), st.sampled_from([0.01, 0.5, 0.75, 1.0]), st.data())
def test_f_of_3f_plus_1_faulty_voters_never_decide_against_the_honest(f, spare, threshold, data):
    """Whatever f voters do, f + 1 honest ones stand behind a decision; so agreeing honest voters are safe."""
    policy = Policy(fault_model="byzantine", faults=f, threshold=threshold, quorum=0.0)
    faulty = data.draw(st.lists(st.sampled_from(VOTES), min_size=f, max_size=f))
    honest = data.draw(
        st.lists(st.sampled_from(VOTES[:3]), min_size=2 * f + 1 + spare, max_size=2 * f + 1 + spare)
    )
    outcome = reached(faulty + honest, policy)
    assert outcome is None or honest.count((outcome,)) >= f + 1
    united = [("right",)] * len(honest)
    assert reached(faulty + united, policy) in {"right", None}


def test_f_silent_voters_do_not_stop_a_byzantine_panel_of_3f_plus_1():
    assert reached([()] + [("right",)] * 3, Policy(**BYZANTINE)) == "right"
    assert reached([("wrong",)] + [("right",)] * 3, Policy(**BYZANTINE)) == "right"
    assert reached([VOTES[3]] + [("right",)] * 3, Policy(**BYZANTINE)) == "right"


def test_the_default_threshold_is_stricter_than_two_faults_of_seven():
    liars_and_honest = [("wrong",)] * 2 + [("right",)] * 5
    seven = {"fault_model": "byzantine", "faults": 2}
    assert reached(liars_and_honest, Policy(**seven)) is None
    assert reached(liars_and_honest, Policy(threshold=0.66, **seven)) == "right"
    assert reached([()] * 2 + [("right",)] * 5, Policy(**seven)) == "right"


def test_two_of_four_are_too_many_a_wrong_outcome_becomes_possible():
    """No safety is claimed here: two liars need only one honest voter who errs."""
    assert reached([("wrong",)] * 2 + [("wrong",), ("right",)], Policy(**BYZANTINE)) == "wrong"
    assert all(
        reached([liar, ("wrong",), ("right",), ("right",)], Policy(**BYZANTINE)) != "wrong" for liar in VOTES
    ), "one liar and one who errs are not enough"


def test_two_of_four_are_too_many_they_can_also_stop_every_decision():
    for liars in product([(), VOTES[3]], repeat=2):
        assert reached([*liars, ("right",), ("right",)], Policy(**BYZANTINE)) is None


def test_a_wide_byzantine_panel_decides_with_2f_plus_1_and_not_with_a_majority():
    """The readers agree because there is one log, not because any two such groups share an honest voter."""
    few = [("right",)] * 3 + [()] * 7
    assert reached(few, Policy(quorum=0.3, **BYZANTINE)) == "right"


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 9])
def test_a_minority_alive_cannot_decide_under_crash_and_a_majority_can(n):
    policy = Policy(fault_model="crash", quorum=0.0)
    majority = n // 2 + 1
    assert reached([("right",)] * majority + [()] * (n - majority), policy) == "right"
    assert reached([("right",)] * (majority - 1) + [()] * (n - majority + 1), policy) is None
    assert reached([("right",)] + [()] * (n - 1), Policy(quorum=0.0)) == "right", "without the model it can"


def test_crash_promises_nothing_against_liars():
    assert reached([("wrong",)] * 3 + [("right",)] * 1, Policy(fault_model="crash")) == "wrong"


def stakes(cap, *weights, threshold=0.75, quorum=0.0):
    """The weights of a panel as drawn under this cap, and its policy."""
    policy = Policy(fault_model="stake", stake_cap=cap, threshold=threshold, quorum=quorum)
    voters = tuple(Voter(f"v{number}", weight=weight) for number, weight in enumerate(weights))
    (opening,) = open_deliberation(OpenDeliberation("q", "Is it so?", ("yes", "no"), voters, policy=policy))
    given = {seat.voter: seat.weight for seat in opening.panel}
    return policy, [given[f"v{number}"] for number in range(len(weights))]


def test_a_stake_decides_nothing_alone_against_others_who_vote():
    policy, weights = stakes(0.5, 1e6, 1.0, 1.0)
    assert reached([("wrong",), ("right",), ("right",)], policy, weights) is None
    policy, weights = stakes(1.0, 1e6, 1.0, 1.0)
    assert reached([("wrong",), ("right",), ("right",)], policy, weights) == "wrong", "the cap allows it"


@examples(50)
@forall(st.lists(st.floats(0.01, 1e6), min_size=2, max_size=5), st.sampled_from([0.5, 0.6, 0.74]), st.data())
def test_nobody_decides_alone_under_a_cap_below_the_threshold(given, cap, data):
    policy, weights = stakes(cap, *given)
    alone = data.draw(st.integers(0, len(given) - 1))
    others = data.draw(st.lists(st.sampled_from([(), ("wrong",)]), min_size=len(given), max_size=len(given)))
    said = [("right",) if number == alone else others[number] for number in range(len(given))]
    assert reached(said, policy, weights) != "right"


def test_the_silence_of_others_lets_a_stake_decide_only_where_the_cap_allows_it():
    said = [("right",), (), ()]
    policy, weights = stakes(0.5, 5.0, 1.0, 1.0)
    assert reached(said, policy, weights) is None
    policy, weights = stakes(0.75, 5.0, 1.0, 1.0)
    assert reached(said, policy, weights) == "right"


def test_without_a_fault_model_the_threshold_and_the_quorum_are_all_that_is_asked():
    assert reached([("right",), ("right",), (), ()], Policy()) == "right"
    assert reached([("right",), (), (), ()], Policy()) is None
