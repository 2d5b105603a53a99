"""After level 4: five closed grounds, three new members, and no second look at the matter."""

from datetime import timedelta

import pytest

from domain.conflict.annulment import GROUNDS, NoNewMembers, fail_annulment, record_annulment
from domain.conflict.appeals import AppealedAlready, NotAParty, NothingToAppeal, TooLate
from domain.conflict.deliberations import annulment_decided, annulment_question
from domain.conflict.events import AnnulmentDecided, Resolved, Unresolved
from domain.conflict.result import ResolutionFailed, result_of
from domain.refusal import Refusal
from tests.unit.domain.conflict.given import AT, Trial, crowd


def ruled(count=45):
    trial = Trial.of(crowd(count), level=4, policy={"annulment_seconds": 60.0})
    trial.decide("p1")
    return trial


def refused(trial, refusal, says, **asked):
    assert trial.annul(**{"party": "bob", **asked}) == []
    assert type(trial.refusals[-1]) is refusal
    assert str(trial.refusals[-1]) == says


def test_the_grounds_are_the_five_of_icsid():
    assert GROUNDS == (
        "improper_constitution",
        "excess_of_powers",
        "corruption",
        "departure_from_procedure",
        "no_reasons",
    )


@pytest.mark.parametrize("ground", GROUNDS)
def test_on_each_ground_three_new_members_are_seated(ground):
    trial = ruled()
    (asked,) = trial.annul("bob", ground)
    names = {seat.voter for seat in asked.panel}
    assert len(names) == 3
    assert names.isdisjoint(seat.voter for seat in trial.state.sitting.panel)
    assert asked.deliberation == "consensus/c1-annulment-1"


def test_the_three_are_asked_for_the_ground_and_not_for_the_matter():
    trial = ruled()
    trial.annul("bob", "excess_of_powers")
    question = annulment_question(trial.state, trial.members)
    assert question.question == "Is the ruling of level 4 to be annulled for excess of powers?"
    assert question.options == ("annul", "stand")
    assert question.context[1] == "bob: it says nothing of the log"
    assert {one.id for one in question.voters} == {one.voter for one in trial.state.annulments[0].panel}


def test_an_annulled_ruling_is_void_and_nothing_takes_its_place():
    trial = ruled()
    trial.annul("bob", "no_reasons")
    (decided,) = trial.deliberate(**trial.everyone("annul"))
    assert decided.annulled
    (outcome,) = trial.settle()
    assert isinstance(outcome, Unresolved)
    assert outcome.reason.startswith(
        "Conflict resolution failed at all levels: level 4: annulled for no reasons: the leading choice"
    )
    with pytest.raises(ResolutionFailed):
        result_of(trial.state)


@pytest.mark.parametrize("votes", [{"choice": "stand"}, {"choice": "mauve"}])
def test_without_consensus_to_annul_the_ruling_stands(votes):
    trial = ruled()
    trial.annul("bob")
    (decided,) = trial.deliberate(**trial.everyone(votes["choice"]))
    assert not decided.annulled
    trial.end()
    assert isinstance(trial.state.outcome, Resolved)


def test_three_who_cannot_decide_annul_nothing():
    trial = ruled()
    trial.annul("bob")
    failed = trial.write(fail_annulment(trial.state, "its node\x1b is gone"))
    assert failed == [
        AnnulmentDecided(
            "consensus/c1-annulment-1",
            annulled=False,
            reason="its node\ufffd is gone",
            votes=(),
            event_id=None,
        )
    ]
    assert fail_annulment(trial.state, "again") == []
    assert trial.state.phase == "final"


def test_each_party_may_ask_once_and_each_time_three_others_hear_it():
    trial = ruled()
    (first,) = trial.annul("bob")
    refused(trial, AppealedAlready, "party: bob has asked for annulment before")
    refused(trial, NothingToAppeal, "level: no ruling of level 4 stands open to annulment now", party="ann")
    trial.deliberate(**trial.everyone("stand"))
    refused(trial, AppealedAlready, "party: bob has asked for annulment before")
    (second,) = trial.annul("ann")
    assert {seat.voter for seat in first.panel}.isdisjoint(seat.voter for seat in second.panel)
    trial.deliberate(**trial.everyone("stand"))
    assert isinstance(trial.settle()[0], Resolved), "nobody is left who may ask, so nobody is waited for"


def test_annulment_is_for_parties_in_time_on_a_known_ground_after_level_4():
    trial = ruled()
    refused(trial, NotAParty, "party: mallory is no party to case c1", party="mallory")
    refused(trial, Refusal, f"ground: 'dislike' is none of {', '.join(GROUNDS)}", ground="dislike")
    trial.later(60)
    closed = (AT + timedelta(seconds=60)).isoformat()
    refused(trial, TooLate, f"party: the window of level 4 closed at {closed}")
    trial.settle()
    refused(trial, TooLate, f"party: the window of level 4 closed at {closed}")
    lower = Trial.of(level=2)
    says = "level: no ruling of level 4 stands open to annulment now"
    refused(lower, NothingToAppeal, says)
    lower.decide("p1")
    refused(lower, NothingToAppeal, says)
    lower.end()
    refused(lower, NothingToAppeal, says)


def test_without_three_new_members_nothing_can_be_annulled():
    refused(ruled(17), NoNewMembers, "members: 2 new members may sit, 3 are needed")


def test_what_is_no_hearing_of_the_three_is_refused():
    trial = ruled()
    assert record_annulment(trial.state, None) == []
    with pytest.raises(Refusal, match=r"^annulment: none is heard now$"):
        annulment_question(trial.state, trial.members)
    with pytest.raises(Refusal, match=r"^annulment: none is heard now$"):
        annulment_decided(trial.state, None)
