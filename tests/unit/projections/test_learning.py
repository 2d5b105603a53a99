"""The read model of learning cycles: rows that say how each round went, from any stored row on."""

import json
from dataclasses import replace

import pytest

from domain.learning.events import CycleFailed, CycleWithdrawn, Loss, UpdatesCollected
from domain.refusal import ImpossibleEvent
from eventlog.codec import decode, encode
from eventlog.topics import topic_of
from projections.learning import LEARNING_CYCLE, LearningProjection
from projections.registry import BY_NAME, standing_on
from projections.tables import STAMPS
from tests.unit.learning_events import (
    aggregated,
    closed,
    collected,
    opened,
    report,
    round_opened,
    sha,
    whole,
    written,
)

PROJECTION = LearningProjection()
COLUMNS = [column.name for column in LEARNING_CYCLE.columns][STAMPS:]


def folded(data):
    state = None
    for event in written(data):
        state = PROJECTION.fold(state, decode(encode(event)))
    return state


def row(data):
    return dict(zip(COLUMNS, PROJECTION.row(folded(data)), strict=True))


def rounds(data):
    return json.loads(row(data)["state"])["rounds"]


def test_a_cycle_is_folded_to_the_same_row_from_any_stored_row_on():
    state = None
    for event in written(whole()):
        state = PROJECTION.fold(PROJECTION.state(PROJECTION.row(state)) if state else None, event)
    assert state == folded(whole())
    assert PROJECTION.row(state) == PROJECTION.row(folded(whole()))
    assert PROJECTION.settled(state)


def test_a_row_tells_where_a_cycle_stands_and_how_it_came_out():
    begun = row(whole()[:1])
    assert (begun["status"], begun["round"], begun["rounds"], begun["loss"], begun["digest"]) == (
        "training",
        0,
        2,
        None,
        None,
    )
    half = row(whole()[:8])
    assert (half["status"], half["round"], half["loss"], half["sent_bytes"]) == ("training", 2, 1.0, 1_600)
    end = row(whole())
    assert (end["status"], end["published"], end["privacy_level"]) == ("closed", "v1.0", "none")
    assert (end["loss"], end["accuracy"], end["raw_bytes"]) == (0.5, 0.7, 6_000)
    assert (end["digest"], end["closed_at"]) == (sha("digest 2"), written(whole())[-1].time)


def test_every_attempt_says_who_was_asked_who_reported_and_why_others_did_not():
    first, second, third = rounds(whole())
    assert (first["status"], first["asked"], first["reported"], first["lost"]) == (
        "abandoned",
        4,
        2,
        {"late": 2},
    )
    assert first["reason"] == "2 of 3 reports needed"
    assert (second["round"], second["attempt"], second["status"]) == (1, 2, "aggregated")
    assert (third["round"], third["reported"], third["lost"], third["rule"]) == (
        2,
        3,
        {"failed": 1},
        "fedavg",
    )


@pytest.mark.parametrize(
    ("end", "status"),
    [(CycleFailed(1, "no budget"), "failed"), (CycleWithdrawn("temporal", "asked", 0), "withdrawn")],
)
def test_a_cycle_may_end_within_a_round_and_nothing_follows(end, status):
    events = [opened(), round_opened(), end]
    assert (row(events)["status"], row(events)["privacy_level"]) == (status, None)
    with pytest.raises(ImpossibleEvent, match="after the end"):
        folded([*events, collected()])


OPEN = [opened(), round_opened()]
DONE = [*OPEN, collected(), aggregated()]
IMPOSSIBLE = {
    "no opening": ([round_opened()], "cannot stand here"),
    "a second opening": ([opened(), opened()], "cannot stand here"),
    "a later round at once": ([opened(), round_opened(2)], "does not follow"),
    "a second attempt at once": ([opened(), round_opened(attempt=2)], "does not follow"),
    "a round while one is open": ([*OPEN, round_opened(2)], "is still open"),
    "the same round again": ([*DONE, round_opened()], "does not follow"),
    "a client asked twice": (
        [opened(), replace(round_opened(), cohort=round_opened().cohort[:1] * 2)],
        "names a client twice",
    ),
    "what no round collects": ([opened(), collected()], "is not open"),
    "what another attempt collects": ([*OPEN, collected(attempt=2)], "is not open"),
    "a client counted twice": (
        [*OPEN, UpdatesCollected(1, 1, (report("ann"), report("ann", 2)))],
        "a client is counted twice",
    ),
    "a client counted again": (
        [*OPEN, collected(), UpdatesCollected(1, 1, (), (Loss("ann", "late"),))],
        "a client is counted twice",
    ),
    "a client not asked": ([*OPEN, UpdatesCollected(1, 1, (report("eve"),))], "that was not asked"),
    "more updates than reports": ([*OPEN, collected(), aggregated(clients=("ann",) * 4)], "4 entered, but 3"),
    "an end between rounds": ([*DONE, closed(1)], "closed before the last round"),
    "bytes without bound": ([*OPEN, collected(), aggregated(sent_bytes=-1)], "more bytes than"),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_cannot_follow_is_refused(name):
    events, line = IMPOSSIBLE[name]
    with pytest.raises(ImpossibleEvent, match=line):
        folded(events)


def test_cycles_have_a_topic_of_their_own_and_one_taker():
    assert topic_of("learning/c") == topic_of("model/digits") == topic_of("budget/default") == "learning"
    assert "learning" in standing_on("learning")
    assert BY_NAME["learning"].home is LEARNING_CYCLE
