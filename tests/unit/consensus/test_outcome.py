"""What a deliberation answers to whoever started it."""

import pytest
from hypothesis import given as forall

from domain.consensus.outcome import outcome_of
from domain.consensus.state import NOT_OPENED
from domain.refusal import Refusal
from tests.unit.consensus.given import Sitting, live, refold, settled
from tests.unit.drawing import examples


def test_an_outcome_tells_all_that_a_decision_rests_on():
    sitting = Sitting.of("ann", "bob", "cem")
    sitting.round(ann="yes", bob="yes", cem="yes")
    decided = sitting.conclude()
    outcome = outcome_of(sitting.state)
    assert (outcome.id, outcome.consensus, outcome.status, outcome.authority) == (
        "q",
        "yes",
        "consensus",
        "consensus",
    )
    assert outcome.reason == decided.reason
    assert (outcome.leading, outcome.agreement, outcome.rounds_required) == (("yes",), 1.0, 1)
    assert outcome.participating_nodes == ("ann", "bob", "cem")
    assert outcome.time_to_consensus == decided.time_to_consensus > 0
    assert outcome.policy == sitting.state.policy
    assert [seat.voter for seat in outcome.panel] == ["ann", "bob", "cem"]
    assert outcome.event_ids == tuple(event.id for event in sitting.log)


def test_an_open_deliberation_has_no_outcome():
    for state in (NOT_OPENED, Sitting.of("ann", "bob").state):
        with pytest.raises(Refusal, match="state: the deliberation is not settled"):
            outcome_of(state)


@examples(20)
@forall(settled() | live())
def test_an_outcome_is_null_exactly_when_it_says_unresolved(log):
    outcome = outcome_of(refold(log))
    assert (outcome.consensus is None) == (outcome.status == "unresolved")


def test_a_case_s_panel_moves_no_reputation_and_tells_the_case_its_first_ballots():
    sitting = Sitting.of("ann", "bob", "cem", case="c1")
    sitting.round(ann="yes", bob="yes", cem="no")
    sitting.round(ann="yes", bob="yes", cem="yes")
    decided = sitting.conclude()
    outcome = outcome_of(sitting.state)
    assert decided.scores == ()
    assert outcome.cast == 3
    assert [(one.voter, one.choice, one.equivocated) for one in outcome.first_ballots] == [
        ("ann", "yes", False),
        ("bob", "yes", False),
        ("cem", "no", False),
    ]


def test_whoever_belongs_to_no_case_is_scored_and_its_ballots_stay_on_the_log():
    sitting = Sitting.of("ann", "bob", "cem")
    sitting.round(ann="yes", bob="yes", cem="yes")
    assert len(sitting.conclude().scores) == 3
    assert outcome_of(sitting.state).first_ballots == ()
