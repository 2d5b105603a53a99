"""The read model of deliberations: what real histories become, and which events it refuses."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given as forall

from domain.consensus.events import (
    BallotCast,
    BallotSealed,
    Decided,
    MediationGiven,
    Opened,
    PersonRuled,
    RoundClosed,
    Score,
    Seat,
    Withdrawn,
)
from domain.consensus.policy import Policy
from domain.consensus.reputation import EQUIVOCATION, ONE, contribution
from domain.consensus.state import NOT_OPENED, fold_all
from domain.refusal import ImpossibleEvent
from projections import deliberation
from projections.consensus import ConsensusProjection
from projections.folding import BEHIND
from projections.in_memory import fold_log
from tests.fakes.log_reader import MemoryReader
from tests.unit.consensus.given import AT, ballot, given, live, opened, settled

PROJECTION = ConsensusProjection()
HISTORIES = settled() | live()


def folded(events, state=None):
    for event in events:
        state = PROJECTION.fold(state, event)
    return state


@forall(HISTORIES)
def test_every_history_that_the_domain_writes_is_folded_to_what_the_domain_says(log):
    state, truth = folded(log), fold_all(NOT_OPENED, log)
    assert state.question == truth.proposal.question
    assert state.rounds == len(truth.rounds)
    assert state.detail.options == truth.options
    assert list(state.detail.panel) == [seat.voter for seat in truth.panel]
    assert (state.status, state.consensus) == (truth.decided.status, truth.decided.consensus)
    assert state.decided_at == log[-1].time
    last = {c.ballot.voter: c.ballot for c in truth.ballots}
    assert {voter: votes[-1].choice for voter, votes in state.detail.ballots.items()} == {
        voter: ballot.choice for voter, ballot in last.items()
    }


@forall(HISTORIES)
def test_folding_on_from_a_stored_row_gives_the_same_row(log):
    state = None
    for event in log:
        state = PROJECTION.fold(PROJECTION.state(PROJECTION.row(state)) if state else None, event)
    assert PROJECTION.row(state) == PROJECTION.row(folded(log))


@forall(HISTORIES)
def test_a_fold_changes_no_state_that_it_was_given(log):
    state = None
    for event in log:
        before = PROJECTION.row(state) if state else None
        after = PROJECTION.fold(state, event)
        assert before == (PROJECTION.row(state) if state else None)
        state = after


def test_a_row_holds_the_policy_as_the_log_does_however_many_others_came_between():
    log = given(opened("ann", "bob")).events
    policies = [replace(log[0].data.policy, seed=seed) for seed in range(2 * deliberation._MOST)]
    for policy in (*policies, *policies):
        state = PROJECTION.fold(None, replace(log[0], data=replace(log[0].data, policy=policy)))
        stored = msgspec.json.decode(PROJECTION.row(state)[-1])["policy"]
        assert msgspec.convert(stored, Policy) == policy
    assert len(deliberation._encoded) <= deliberation._MOST


def test_a_row_keeps_no_reasons_of_ballots_and_no_nonces():
    log = given(opened("ann", "bob"), ballot("ann", "yes", reason="a long story", nonce="secret")).events
    assert "story" not in str(PROJECTION.row(folded(log)))
    assert "secret" not in str(PROJECTION.row(folded(log)))


def test_an_equivocation_stands_with_both_ballots():
    log = given(opened("ann", "bob"), ballot("ann", "yes"), ballot("ann", "no"), ballot("bob", "yes")).events
    votes = folded(log).detail.ballots
    assert [vote.choice for vote in votes["ann"]] == ["yes", "no"]
    assert [vote.choice for vote in votes["bob"]] == ["yes"]


OPENED = opened("ann", "bob")
CLOSED = RoundClosed(1, (), (), 0.0, 0, 2, "cap", "nobody cast a ballot")
AGREED = replace(CLOSED, leading=("yes",), stop="threshold")
DECIDED = Decided("yes", "consensus", "consensus", "", ("yes",), 1.0, 1, (), 0.0, OPENED.policy, ())
MEDIATING = opened("ann", "bob", otherwise="mediate")
MEDIATED = MediationGiven("model", "yes", "because")
RULED = replace(DECIDED, status="ruled_by_person", authority="person")


@pytest.mark.parametrize(
    ("log", "says"),
    [
        ([ballot("ann", "yes")], "before the opening"),
        ([OPENED, OPENED], "inside a deliberation"),
        ([OPENED, ballot("eve", "yes")], "not on the panel"),
        ([OPENED, ballot("ann", "yes", 2)], "round 2 is not open"),
        ([OPENED, CLOSED, CLOSED], "round 1 is not open"),
        ([OPENED, AGREED, replace(AGREED, round=2, leading=("no",))], "round 2 is not open"),
        ([OPENED, AGREED, ballot("ann", "no", 2)], "round 2 is not open"),
        ([OPENED, replace(AGREED, leading=())], "0 choices cannot have passed"),
        ([OPENED, DECIDED], "before the last round was closed"),
        ([OPENED, replace(CLOSED, stop="open"), DECIDED], "before the last round was closed"),
        ([OPENED, AGREED, replace(DECIDED, consensus="no")], "does not follow from the record"),
        ([OPENED, AGREED, replace(DECIDED, consensus=None)], "does not follow from the record"),
        ([OPENED, CLOSED, replace(DECIDED, leading=())], "does not follow from the record"),
        ([OPENED, CLOSED, replace(RULED, leading=())], "does not follow from the record"),
        ([OPENED, AGREED, RULED], "does not follow from the record"),
        ([OPENED, AGREED, replace(DECIDED, leading=("no",))], "other rounds than were held"),
        ([OPENED, AGREED, replace(DECIDED, rounds_required=2)], "other rounds than were held"),
        ([OPENED, AGREED, replace(DECIDED, policy=Policy(threshold=0.6))], "another policy than"),
        ([replace(OPENED, panel=OPENED.panel * 2)], "sits twice"),
        ([replace(OPENED, panel=())], "nobody sits on it"),
        ([replace(OPENED, panel=(Seat("ann", 1.0), Seat("bob", -1e-9)))], "not a number from 0"),
        ([OPENED, replace(CLOSED, stop="open", options=("maybe",))], "an option appears"),
        ([opened("ann", max_rounds=1), replace(CLOSED, stop="open")], "round 1 was the last"),
        ([OPENED, MEDIATED], "before the last round was closed"),
        ([MEDIATING, replace(CLOSED, stop="open"), MEDIATED], "before the last round was closed"),
        ([MEDIATING, AGREED, MEDIATED], "there is a decision to state already"),
        ([MEDIATING, CLOSED, MEDIATED, MEDIATED], "there is a decision to state already"),
        ([MEDIATING, CLOSED, PersonRuled("Ada", "yes", "so")], "the policy says mediate"),
        ([OPENED, CLOSED, MEDIATED], "the policy says unresolved"),
    ],
)
def test_what_cannot_follow_is_refused(log, says):
    with pytest.raises(ImpossibleEvent, match=says):
        folded(given(*log).events)


@forall(HISTORIES)
def test_nothing_follows_a_decision(log):
    with pytest.raises(ImpossibleEvent, match="after the decision"):
        folded([*log, replace(log[-1], version=len(log) + 1)])


def additions(*scores):
    (event,) = given(opened("ann", "bob")).and_then(OPENED).events[:1]
    state = folded([event])
    return dict(PROJECTION.adds(state, replace(event, data=replace(DECIDED, scores=scores))))


def test_a_ruling_adds_whole_numbers_to_each_voter_that_it_scores():
    unit = contribution(AT)
    found = additions(Score("ann", right=True, confidence=0.5), Score("bob", right=False, equivocated=True))
    assert found["general", "ann"] == (unit, 0, ONE // 4, 1, 1, 0)
    assert found["general", "bob"] == (0, EQUIVOCATION * unit, 0, 0, 1, 1)
    assert all(isinstance(amount, int) for amounts in found.values() for amount in amounts)


def test_only_a_decision_adds_anything():
    (event,) = given(opened("ann")).events
    assert list(PROJECTION.adds(folded([event]), event)) == []
    assert PROJECTION.adding == {Decided}
    assert BallotCast not in PROJECTION.adding
    assert Opened not in PROJECTION.adding


def test_a_policy_reads_the_same_in_a_row_as_on_the_log():
    (event,) = given(opened("ann", threshold=0.9, seed=2**63 - 1)).events
    stored = msgspec.json.decode(PROJECTION.row(folded([event]))[-1])
    assert stored["policy"] == msgspec.to_builtins(event.data.policy)


def test_a_withdrawn_deliberation_is_no_decision_and_takes_nothing_more():
    given_ = given(opened("ann", "bob"), BallotSealed("ann", 1, "c" * 64), Withdrawn("temporal", "over", 0))
    state = folded(given_.events)
    assert (state.status, state.consensus, state.decided_at) == ("withdrawn", None, None)
    assert (state.detail.withdrawn, state.detail.sealed) == (Withdrawn("temporal", "over", 0), ())
    row = PROJECTION.row(state)
    assert PROJECTION.row(PROJECTION.state(row)) == row
    late = replace(given_.events[-1], version=4)
    with pytest.raises(ImpossibleEvent, match="after the withdrawal"):
        PROJECTION.fold(state, late)
    with pytest.raises(ImpossibleEvent, match="tells of 3 rounds"):
        folded((*given_.events[:2], replace(late, data=Withdrawn("temporal", "", 3))))


async def test_a_stream_whose_opening_could_not_be_is_parked_with_the_reason():
    log = MemoryReader()
    end = log.append(given(replace(OPENED, panel=()), ballot("ann", "yes")).events)
    rows = await fold_log(log, {("decisions", 0): end})
    parked = [(letter.kind, letter.reason) for letter in rows.totals.dead]
    assert parked == [("impossible", "panel: nobody sits on it, or a voter sits twice"), ("behind", BEHIND)]
    assert rows.streams == {}
