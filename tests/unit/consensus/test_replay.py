"""A recorded deliberation decided again: the same policy agrees, a changed record does not."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from domain.consensus.commands import OpenDeliberation, RecordedBallot, Voter
from domain.consensus.decide import open_deliberation
from domain.consensus.events import BallotCast, Decided, RoundClosed, Withdrawn
from domain.consensus.policy import Policy
from domain.consensus.recorded import hold_rounds
from domain.consensus.replay import replay
from domain.consensus.state import NOT_OPENED, fold_all
from domain.consensus.whatif import retake
from domain.refusal import Refusal
from domain.stream import Draft

AT = datetime(2026, 1, 1, tzinfo=UTC)


def deliberated(policy=None):
    """Five voters: three to two at first, four to one in the second round."""
    voters = tuple(
        Voter(
            f"v{number}",
            ballots=(
                RecordedBallot("yes" if number < 3 else "no", reason="first"),
                RecordedBallot("yes" if number < 4 else "no", round=2, reason="second"),
            ),
        )
        for number in range(5)
    )
    command = OpenDeliberation("q", "Is it so?", ("yes", "no"), voters, policy=policy or Policy())
    draft = Draft("consensus/q", "test", "consensus/q", "run")
    opening = draft.events(open_deliberation(command), AT)
    rest, _ = hold_rounds(fold_all(NOT_OPENED, opening), voters, draft, AT)
    return opening + rest


def changed(events, kind, **fields):
    """The first event of that kind says something else."""
    at = next(index for index, event in enumerate(events) if isinstance(event.data, kind))
    return [*events[:at], replace(events[at], data=replace(events[at].data, **fields)), *events[at + 1 :]]


def test_an_honest_record_replays_without_divergence():
    events = deliberated()
    state, divergence = replay(events)
    assert divergence is None
    assert state.decided == events[-1].data
    assert state.decided.consensus == "yes"


@pytest.mark.parametrize(
    ("kind", "fields", "named"),
    [
        (Decided, {"consensus": "no"}, "consensus"),
        (Decided, {"agreement": 0.99}, "agreement"),
        (Decided, {"scores": ()}, "scores"),
        (RoundClosed, {"agreement": 0.9}, "agreement"),
        (RoundClosed, {"options": ("yes",)}, "options"),
        (RoundClosed, {"stop": "threshold"}, "stop"),
    ],
)
def test_a_changed_count_or_outcome_is_named_at_its_event(kind, fields, named):
    events = changed(deliberated(), kind, **fields)
    _, divergence = replay(events)
    first = next(event for event in events if isinstance(event.data, kind))
    assert divergence.event_id == first.id
    assert divergence.problem.startswith(f"{named}: recorded")


def test_a_changed_ballot_shows_in_the_count_that_follows_it():
    events = changed(deliberated(), BallotCast, choice="no")
    _, divergence = replay(events)
    assert divergence.type == RoundClosed.TYPE


def test_a_dropped_ballot_and_a_dropped_opening_are_named():
    events = deliberated()
    without_ballot = [event for event in events if event.version != 3]
    assert replay(without_ballot)[1].version == 4
    renumbered = [replace(event, version=number) for number, event in enumerate(without_ballot, 1)]
    assert replay(renumbered)[1].type == RoundClosed.TYPE
    assert "before the opening" in replay(events[1:])[1].problem


def test_a_decision_before_its_last_round_is_named():
    events = deliberated()
    early = [*events[:7], events[-1]]
    assert replay(early)[1].type == Decided.TYPE


def test_a_round_that_is_closed_twice_is_named():
    events = deliberated()
    closed = next(event for event in events if isinstance(event.data, RoundClosed))
    last = [event for event in events if isinstance(event.data, RoundClosed)][-1]
    twice = [*events[:-1], replace(last, id=closed.id, version=len(events))]
    assert replay(twice)[1].problem == "nothing follows from the events before it"


def test_another_threshold_decides_otherwise_and_the_same_one_alike():
    state, _ = replay(deliberated())
    assert not retake(state, Policy()).differs
    stricter = retake(state, Policy(threshold=0.9))
    assert stricter.differs
    assert (stricter.recorded, stricter.retaken, stricter.retaken_status) == ("yes", None, "unresolved")
    assert "0.9" in stricter.reason


def test_weights_and_a_posterior_can_turn_a_decision():
    state, _ = replay(deliberated())
    weights = {"v4": 1.0, **dict.fromkeys(("v0", "v1", "v2", "v3"), 0.05)}
    assert retake(state, Policy(), weights=weights).retaken == "no"
    assert retake(state, Policy(), posterior={"yes": 0.1, "no": 0.9}).retaken == "no"


def test_only_a_settled_deliberation_can_be_taken_again():
    state, _ = replay(deliberated()[:-1])
    with pytest.raises(Refusal, match="not settled"):
        retake(state, Policy())


def test_the_wording_of_a_reason_may_change_between_releases():
    events = changed(deliberated(), RoundClosed, reason="said in other words")
    assert replay(events)[1] is None


def test_a_withdrawal_agrees_unless_the_ballots_before_it_compel_an_outcome():
    events = deliberated()
    withdrawn = [replace(event, data=Withdrawn("temporal", "", 0), version=2) for event in events[1:2]]
    state, divergence = replay([*events[:1], *withdrawn])
    assert (divergence, state.withdrawn) == (None, Withdrawn("temporal", "", 0))
    forged = [*events[:-1], replace(events[-1], data=Withdrawn("temporal", "", 2))]
    _, divergence = replay(forged)
    assert (divergence.type, "compel an outcome" in divergence.problem) == (Withdrawn.TYPE, True)
