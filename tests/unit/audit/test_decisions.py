"""The audit reads a stream as the projections apply it: what they park, it does not take."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from audit.decisions import settled_streams, stream_events
from audit.trail import has_outcome, trail
from domain.consensus.commands import OpenDeliberation, RecordedBallot, Voter
from domain.consensus.decide import open_deliberation
from domain.consensus.recorded import hold_rounds
from domain.consensus.state import NOT_OPENED, fold_all
from domain.refusal import Refusal
from domain.stream import Draft
from eventlog.codec import encode
from eventlog.partitioning import partition_of
from tests.fakes.log_reader import MemoryReader

AT = datetime(2026, 1, 1, tzinfo=UTC)
STREAM = "consensus/q"
KEY = STREAM.encode()


def deliberated(run="run"):
    voters = tuple(Voter(voter, ballots=(RecordedBallot("yes"),)) for voter in "abc")
    draft = Draft(STREAM, "test", STREAM, run)
    opening = draft.events(open_deliberation(OpenDeliberation("q", "?", ("yes", "no"), voters)), AT)
    return opening + hold_rounds(fold_all(NOT_OPENED, opening), voters, draft, AT)[0]


EVENTS = deliberated()
OTHERS = deliberated("another run")


def log_of(*records):
    reader = MemoryReader()
    for record in records:
        if isinstance(record, tuple):
            reader.put(*record)
        else:
            reader.append([record])
    return reader


async def settled(reader):
    return [events async for events in settled_streams(reader, lambda *_: None)]


async def test_a_decision_is_given_once_with_repeated_events_dropped():
    reader = log_of(*EVENTS[:3], *EVENTS[1:], *EVENTS)
    assert await settled(reader) == [EVENTS]
    assert await stream_events(reader, STREAM) == EVENTS


@pytest.mark.parametrize("turned", [False, True])
async def test_a_decision_that_lies_in_a_wrong_partition_is_not_given(turned):
    reader = MemoryReader()
    reader.counts["decisions"] = 2
    real, forged = (OTHERS, EVENTS) if turned else (EVENTS, OTHERS)
    reader.append(forged, partition=1 - partition_of(KEY, 2))
    reader.append(real)
    assert await settled(reader) == [real]


async def test_what_follows_the_decision_is_not_part_of_it():
    reader = log_of(*EVENTS, OTHERS[1], (b"junk", KEY))
    assert await settled(reader) == [EVENTS]
    assert await stream_events(reader, STREAM) == EVENTS


MISFILED = encode(replace(EVENTS[2], stream="consensus/other"))


@pytest.mark.parametrize(
    ("records", "why"),
    [
        ([*EVENTS[:3], OTHERS[1], *EVENTS[3:]], "offset 3: version 2 is taken by another event"),
        ([*EVENTS[:2], *EVENTS[3:]], "offset 2: it is version 4, but 3 is next"),
        ([*EVENTS[:2], (b"junk", KEY), *EVENTS[2:]], "offset 2: it cannot be read"),
        ([*EVENTS[:2], (MISFILED, KEY), *EVENTS[2:]], "offset 2: its key is not its stream"),
    ],
)
async def test_a_stream_that_the_projections_park_is_none_to_decide_again(records, why):
    reader = log_of(*records)
    assert await settled(reader) == []
    with pytest.raises(Refusal, match=f"{STREAM} stops at {why}"):
        await stream_events(reader, STREAM)


async def test_a_record_under_another_stream_s_key_does_not_take_that_stream_s_place():
    forged = encode(OTHERS[0])
    reader = log_of((forged, b"consensus/elsewhere"), *EVENTS)
    assert await settled(reader) == [EVENTS]


async def test_an_open_stream_is_read_as_far_as_it_goes():
    reader = log_of(*EVENTS[:3])
    assert await settled(reader) == []
    assert await stream_events(reader, STREAM) == EVENTS[:3]


@pytest.mark.parametrize(("events", "outcome"), [(EVENTS, True), (EVENTS[:-1], False), (EVENTS[:1], False)])
async def test_a_trail_knows_whether_there_is_an_outcome(events, outcome):
    assert has_outcome(await trail(log_of(*events), STREAM)) is outcome
