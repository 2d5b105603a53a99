"""The audit reads a stream as the projections apply it: what they park, it does not take."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from audit.decisions import Passed, settled_streams, stream_events
from audit.trail import has_outcome, trail
from domain.consensus.commands import OpenDeliberation, RecordedBallot, Voter
from domain.consensus.decide import open_deliberation
from domain.consensus.events import Withdrawn
from domain.consensus.recorded import hold_rounds
from domain.consensus.state import NOT_OPENED, fold_all
from domain.deadletters import Discarded
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


@pytest.mark.parametrize(
    ("forged", "note"),
    [
        (
            Withdrawn("temporal", "because", 1),
            "does not follow: type: consensus.withdrawn.v1 after the decision",
        ),
        (EVENTS[1].data, "does not follow: type: consensus.ballot_cast.v2 after the decision"),
    ],
)
async def test_a_trail_says_what_does_not_follow_and_still_has_its_outcome(forged, note):
    after = replace(EVENTS[-1], id=OTHERS[0].id, version=len(EVENTS) + 1, data=forged)
    steps = await trail(log_of(*EVENTS, after, (encode(replace(after, stream="consensus/x")), KEY)), STREAM)
    assert [step.note for step in steps if step.note] == [
        note,
        "misfiled: it is an event of another stream",
    ]
    assert has_outcome(steps)


def given_up(reader, *offsets, stream=STREAM):
    """A person gave up the records at these offsets."""
    for offset in offsets:
        letter = f"decisions.0.{offset}"
        said = Discarded(letter, "decisions", 0, offset, stream, "Ada", "written by hand")
        name = f"deadletters/{letter}"
        reader.append(Draft(name, "test", name, "run").events([said], AT), topic="deadletters")
    return reader


async def passed_over(reader):
    """The settled streams, the offsets that were left out, the streams that stop."""
    passed = Passed()
    found = [events async for events in settled_streams(reader, lambda *_: None, passed)]
    left_out = sorted(offset for _, offset in passed.left_out)
    alone = Passed()
    with suppress(Refusal):
        assert [await stream_events(reader, STREAM, alone)] == found
    assert sorted(offset for _, offset in alone.left_out) == left_out
    return found, left_out, passed.stopped


IMPOSSIBLE = replace(EVENTS[3], id=OTHERS[3].id, data=EVENTS[0].data)


@pytest.mark.parametrize(
    "record",
    [(b"junk", KEY), (MISFILED, KEY), OTHERS[1], replace(OTHERS[4], version=9), IMPOSSIBLE],
    ids=["unreadable", "misfiled", "a fork", "a gap", "impossible"],
)
async def test_what_a_person_gave_up_is_left_out_as_readers_leave_it_out(record):
    reader = log_of(*EVENTS[:3], record, *EVENTS[3:])
    found, left_out, stopped = await passed_over(given_up(reader, 3))
    assert (found, left_out, stopped) == ([EVENTS], [3], {})


async def test_a_stream_goes_on_after_an_event_of_its_own_that_was_given_up():
    """The projections count on after it, and so does the audit; what it said is not in the decision."""
    broken = replace(EVENTS[3], data=EVENTS[0].data)
    reader = given_up(log_of(*EVENTS[:3], broken, *EVENTS[4:], broken), 3)
    assert await passed_over(reader) == ([[*EVENTS[:3], *EVENTS[4:]]], [3], {})


async def test_a_forged_discard_takes_nothing_away():
    found, left_out, stopped = await passed_over(given_up(log_of(*EVENTS), *range(len(EVENTS))))
    assert (found, left_out, stopped) == ([EVENTS], [], {})


async def test_a_discard_in_another_stream_s_name_closes_no_gap():
    reader = log_of(*EVENTS[:2], (b"junk", KEY), *EVENTS[3:])
    found, left_out, stopped = await passed_over(given_up(reader, 2, stream="consensus/other"))
    assert (found, left_out) == ([], [2])
    assert stopped == {STREAM: "stops at offset 3: it is version 4, but 3 is next"}


async def test_a_stream_that_stops_is_told_of():
    reader = log_of(*EVENTS[:2], (b"junk", KEY), *EVENTS[2:])
    _, _, stopped = await passed_over(reader)
    assert list(stopped) == [STREAM]
    assert stopped[STREAM].startswith("stops at offset 2: it cannot be read")
