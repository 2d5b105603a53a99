"""Deliberations whose ballots are all known beforehand."""

from dataclasses import replace

from hypothesis import given as forall
from hypothesis import strategies as st

from domain.consensus.commands import OpenDeliberation, RecordedBallot, Voter
from domain.consensus.decide import open_deliberation
from domain.consensus.events import BallotCast, Decided, Opened, RoundClosed
from domain.consensus.policy import Policy
from domain.consensus.recorded import ballots_for, has_last_word, hold_one_round, hold_rounds, open_and_hold
from domain.consensus.settle import next_step
from domain.consensus.state import NOT_OPENED, fold_all
from tests.unit.consensus.given import AT, Sitting, ballot, ballots, draft, given, held, opened, questions
from tests.unit.drawing import examples


def voter(name, *choices, **fields):
    """Its choices round by round; a missing one ("") was not recorded."""
    said = [RecordedBallot(choice, round=number) for number, choice in enumerate(choices, 1) if choice != ""]
    return Voter(name, ballots=tuple(said), **fields)


def logged(*voters, **policy):
    return held(OpenDeliberation("q", "Is it so?", ("yes", "no"), voters, policy=Policy(**policy)))


def closings(log):
    return [event.data for event in log if isinstance(event.data, RoundClosed)]


def test_a_voter_without_a_ballot_for_the_round_stands_by_the_one_before():
    sitting = Sitting.of("ann", "bob", "cem")
    voters = [voter("ann", "yes"), voter("bob", "no", "yes"), voter("cem", "", "", "no")]
    assert ballots_for(sitting.state, voters) == ballots(ann="yes", bob="no")
    sitting.round(ann="yes", bob="no")
    assert ballots_for(sitting.state, voters) == [
        ballot("ann", "yes", 2, reason="stands by round 1"),
        ballot("bob", "yes", 2),
    ]


def test_what_was_said_with_a_ballot_goes_with_it():
    said = RecordedBallot("yes", confidence=0.7, reason="because")
    (cast,) = ballots_for(given(opened("ann", "bob")).state, [Voter("ann", ballots=(said,))])
    assert cast == ballot("ann", "yes", confidence=0.7, reason="because")


def test_only_recorded_voters_on_the_panel_bring_ballots():
    state = given(opened("ann", "bob")).state
    voters = [voter("eve", "yes"), Voter("ann", kind="external"), voter("bob", "no")]
    assert ballots_for(state, voters) == [ballot("bob", "no")]


def test_the_last_word_is_spoken_when_no_voter_on_the_panel_can_change_its_mind():
    state = given(opened("ann", "bob")).state
    assert has_last_word(state, [voter("ann", "yes"), voter("bob")])
    assert not has_last_word(state, [voter("ann", "yes", "no"), voter("bob", "no")])
    assert not has_last_word(state, [voter("ann", "yes"), Voter("bob", kind="external")])
    assert not has_last_word(state, [Voter("ann", kind="reasoner", node="eu"), voter("bob", "no")])
    assert has_last_word(state, [voter("ann", "yes"), Voter("eve", kind="external"), voter("fay", "", "no")])


def test_agreement_in_the_first_round_is_one_round():
    log = logged(voter("ann", "yes"), voter("bob", "yes"), voter("cem", "yes"), voter("dee", "no"))
    assert [type(event.data) for event in log[1:]] == [*[BallotCast] * 4, RoundClosed, Decided]
    assert log[-1].data.consensus == "yes"
    assert log[-1].data.rounds_required == 1


def test_a_changed_mind_is_agreement_in_the_second_round():
    log = logged(
        voter("ann", "yes"),
        voter("bob", "yes"),
        voter("cem", "yes"),
        voter("dee", "no", "yes"),
        threshold=1.0,
    )
    assert [closed.stop for closed in closings(log)] == ["open", "threshold"]
    assert log[-1].data.rounds_required == 2
    changed = {e.data.voter for e in log if isinstance(e.data, BallotCast) and e.data.changed}
    assert changed == {"dee"}


def test_a_panel_without_further_ballots_is_not_asked_again():
    log = logged(voter("ann", "yes"), voter("bob", "no"))
    assert [closed.stop for closed in closings(log)] == ["stable"]
    assert log[-1].data.status == "unresolved"


def test_a_late_voter_is_waited_for_while_others_may_move():
    log = logged(voter("ann", "yes"), voter("bob", "no"), voter("cem", "", "yes"), threshold=0.6)
    assert [closed.stop for closed in closings(log)] == ["open", "threshold"]


def test_recorded_rounds_end_where_someone_else_must_speak():
    voters = (voter("ann", "yes"), voter("bob", "no"))
    question = OpenDeliberation("q", "Is it so?", ("yes", "no"), voters, policy=Policy(otherwise="person"))
    pen = draft()
    state = fold_all(NOT_OPENED, pen.events(open_deliberation(question), AT))
    events, state = hold_rounds(state, voters, pen, AT)
    assert not any(isinstance(event.data, Decided) for event in events)
    assert state.decided is None


@examples(30)
@forall(questions())
def test_a_recorded_deliberation_is_written_at_once_as_step_by_step(question):
    written = open_and_hold(question, {}, None, draft(), AT)
    assert written == held(question)[: len(written)]
    assert next_step(fold_all(NOT_OPENED, written)) != "ballots"


def test_a_live_voter_on_the_panel_leaves_the_opening_alone():
    voters = (voter("ann", "yes"), voter("bob", "yes"), Voter("cem", kind="external"))
    question = OpenDeliberation("q", "Is it so?", ("yes", "no"), voters)
    (event,) = open_and_hold(question, {}, None, draft(), AT)
    assert isinstance(event.data, Opened)


def test_one_round_is_held_to_its_end():
    after = given(opened("ann", "bob"))
    events, state = hold_one_round(after.state, ballots(ann="yes", bob="yes"), draft(1), AT)
    assert [type(event.data) for event in events] == [BallotCast, BallotCast, RoundClosed, Decided]
    assert [event.version for event in events] == [2, 3, 4, 5]
    assert state.decided == events[-1].data
    assert state.decided.posterior is None


def test_one_round_can_rest_on_a_posterior():
    after = given(opened("ann", "bob"))
    said = ballots(ann="yes", bob="yes")
    _, state = hold_one_round(after.state, said, draft(1), AT, {"no": 0.8, "yes": 0.2})
    assert (state.decided.consensus, state.decided.posterior) == ("no", {"no": 0.8, "yes": 0.2})
    assert state.decided.majority == ("yes",)


@examples(30)
@forall(questions(), st.data())
def test_the_order_of_voters_never_changes_the_outcome(question, data):
    shuffled = replace(question, voters=tuple(data.draw(st.permutations(question.voters))))
    first, second = held(question)[-1].data, held(shuffled)[-1].data
    assert (first.consensus, first.status, first.leading) == (second.consensus, second.status, second.leading)
    assert (first.agreement, first.rounds_required, first.reason) == (
        second.agreement,
        second.rounds_required,
        second.reason,
    )
    assert sorted(first.scores, key=str) == sorted(second.scores, key=str)


@examples(20)
@forall(questions())
def test_the_same_question_gives_the_same_events_to_the_last_byte(question):
    assert held(question) == held(question)


@examples(30)
@forall(questions())
def test_no_more_rounds_are_held_than_the_policy_allows(question):
    log = held(question)
    assert 1 <= len(closings(log)) == log[-1].data.rounds_required <= question.policy.max_rounds
