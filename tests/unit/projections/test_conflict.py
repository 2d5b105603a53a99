"""The read model of cases: rows that say what the domain says, and sums that every outcome moves once."""

import json
from dataclasses import replace

import pytest
from hypothesis import given as forall

from domain.conflict.events import Resolved, Ruled
from domain.conflict.fold import fold_all
from domain.conflict.reputation import moved
from domain.conflict.state import NO_CASE
from domain.refusal import ImpossibleEvent
from eventlog.codec import decode, encode
from projections.conflict import CONFLICT_CASE, ConflictProjection
from projections.tables import STAMPS
from tests.unit.domain.conflict.given import Trial, trials
from tests.unit.drawing import examples

PROJECTION = ConflictProjection()
COLUMNS = [column.name for column in CONFLICT_CASE.columns][STAMPS:]


def stored(trial):
    return [decode(encode(event)) for event in trial.log]


def folded(events, state=None):
    for event in events:
        state = PROJECTION.fold(state, event)
    return state


def row(events):
    return dict(zip(COLUMNS, PROJECTION.row(folded(events)), strict=True))


@examples(20)
@forall(trials())
def test_every_case_is_folded_to_what_the_domain_says_from_any_stored_row_on(trial):
    log = stored(trial)
    state = None
    for event in log:
        state = PROJECTION.fold(PROJECTION.state(PROJECTION.row(state)) if state else None, event)
    truth = fold_all(NO_CASE, log)
    assert state.inner == truth
    assert PROJECTION.row(state) == PROJECTION.row(folded(log))
    assert PROJECTION.settled(state) == (truth.outcome is not None)


def test_a_row_tells_where_an_open_case_stands_and_how_it_came_out():
    trial = Trial.of()
    trial.begin()
    open_ = row(stored(trial))
    assert (open_["status"], open_["level"], open_["resolution"], open_["closed_at"]) == (
        "panel",
        2,
        None,
        None,
    )
    trial.deliberate(**trial.everyone("p2"))
    trial.settle()
    assert row(stored(trial))["status"] == "appealable"
    trial.end()
    closed = row(stored(trial))
    assert (closed["status"], closed["choice"], closed["resolution"]) == ("resolved", "p2", "seven beds")
    assert closed["closed_at"] == trial.log[-1].time
    assert [one["type"] for one in json.loads(closed["state"])] == [event.type for event in trial.log]


def test_a_case_that_no_level_settled_is_told_as_unresolved():
    trial = Trial.of(())
    for _ in range(3):
        trial.decide("p1")
    assert row(stored(trial))["status"] == "unresolved"
    assert row(stored(trial))["resolution"] is None


def test_the_outcome_alone_moves_the_sums_of_every_voter_of_every_level():
    trial = Trial.of()
    trial.decide("p1")
    trial.appeal("bob")
    trial.settle()
    trial.decide("p2")
    trial.end()
    log, state, added = stored(trial), None, {}
    for event in log:
        state = PROJECTION.fold(state, event)
        additions = list(PROJECTION.adds(state, event))
        assert not additions or isinstance(event.data, Resolved)
        added |= dict(additions)
    assert {voter for _, voter in added} == {seat.voter for one in state.inner.begun for seat in one.panel}
    expected = moved(log[-1].data.scores, log[-1].time)
    for (topic, voter), (right, wrong, brier, stated, ruled, equivocated) in added.items():
        sums = expected[voter]
        assert (topic, right, wrong, brier, stated) == (
            "general",
            sums.right,
            sums.wrong,
            sums.brier,
            sums.stated,
        )
        assert (ruled, equivocated) == (1, 0)


def test_what_cannot_follow_is_refused_and_leaves_no_trace():
    trial = Trial.of()
    trial.begin()
    log = stored(trial)
    state = folded(log)
    forged = replace(log[-1], version=3, data=Ruled(2, 2, "p1", "nine beds", "consensus", "because"))
    with pytest.raises(ImpossibleEvent):
        PROJECTION.fold(state, forged)
    assert PROJECTION.row(state) == PROJECTION.row(folded(log))
