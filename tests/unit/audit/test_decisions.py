"""The audit reads a stream as the projections apply it: what they park, it does not take."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import pytest

from audit.decisions import Passed, _OpenStreams, partition_fold, settled_streams, stream_events
from audit.replay import replay_stream
from audit.trail import has_outcome, trail
from audit.whatif import whatif_stream
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
IMPOSSIBLE = [replace(EVENTS[2], data=EVENTS[0].data), *EVENTS[3:]]


@pytest.mark.parametrize(
    ("records", "why"),
    [
        ([*EVENTS[:3], OTHERS[1], *EVENTS[3:]], "offset 3: fork, version 2 is taken by another event"),
        ([*EVENTS[:2], *EVENTS[3:]], "offset 2: gap, is version 4, but 3 is next"),
        ([*EVENTS[:2], (b"junk", KEY), *EVENTS[2:]], "offset 2: undecodable, is not JSON"),
        ([*EVENTS[:2], (MISFILED, KEY), *EVENTS[2:]], "offset 2: misfiled, its key is not its stream"),
        ([*EVENTS[:2], *IMPOSSIBLE], f"offset 2: impossible, type: {EVENTS[0].type} inside a deliberation"),
    ],
)
async def test_a_stream_that_the_projections_park_is_none_to_decide_again(records, why):
    reader = log_of(*records)
    found, _, stopped = await passed_over(reader)
    assert (found, list(stopped)) == ([], [STREAM])
    assert stopped[STREAM].startswith(f"stops at {why}")
    before = int(why.split()[1].rstrip(":"))
    assert await stream_events(reader, STREAM) == [*EVENTS[:before]]
    replayed = await replay_stream(reader, STREAM)
    assert (replayed.passed.stopped, replayed.undecided, replayed.divergent) == (stopped, 1, [])
    with pytest.raises(Refusal, match=f"{STREAM} stops at {why}"):
        await whatif_stream(reader, STREAM, {"threshold": 0.9})


async def test_a_stopped_stream_s_event_is_named_by_its_id():
    _, _, stopped = await passed_over(log_of(*EVENTS[:2], *EVENTS[3:]))
    assert stopped[STREAM].endswith(f" (event {EVENTS[3].id})")


async def test_a_stream_of_which_nothing_is_applied_is_refused():
    junk = (b"junk", KEY)
    with pytest.raises(Refusal, match=f"{STREAM} stops at offset 0: undecodable"):
        await stream_events(log_of(junk), STREAM)
    with pytest.raises(Refusal, match=f"{STREAM} has no event on the log that readers apply"):
        await stream_events(given_up(log_of(junk), 0), STREAM)
    with pytest.raises(Refusal, match=r"consensus/none has no event on the log$"):
        await stream_events(log_of(junk), "consensus/none")


@pytest.mark.parametrize("size", [1, 3, 100])
async def test_what_is_given_up_behind_the_end_is_looked_at_for_one_stream_only(size):
    """Else it would hang on where batches begin, since what follows an end is not read."""
    reader = given_up(log_of(*EVENTS, (b"junk", KEY), *EVENTS), len(EVENTS))
    reader.batches = partial(reader.batches, max_records=size)
    passed, alone = Passed(), Passed()
    assert [events async for events in settled_streams(reader, lambda *_: None, passed)] == [EVENTS]
    assert await stream_events(reader, STREAM, alone) == EVENTS
    assert (passed.left_out, alone.left_out) == (set(), {("decisions", 0, len(EVENTS))})


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


async def test_of_a_settled_stream_nothing_is_held_but_its_name():
    reader = log_of(*EVENTS[:-1])
    fold = await partition_fold(reader, "decisions", 0)
    streams = _OpenStreams(fold, Passed())
    assert await streams.take(reader.places["decisions", 0]) == []
    assert STREAM in fold.states
    reader.append(EVENTS[-1:])
    assert await streams.take(reader.places["decisions", 0][-1:]) == [EVENTS]
    reader.append(EVENTS)
    assert await streams.take(reader.places["decisions", 0][-len(EVENTS) :]) == []
    assert (STREAM in fold.states, streams._open, streams._ended) == (False, {}, {KEY})


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
    left_out = sorted(offset for *_, offset in passed.left_out)
    alone = Passed()
    events = await stream_events(reader, STREAM, alone)
    assert events in found or alone.stopped
    assert alone == passed
    return found, left_out, passed.stopped


@pytest.mark.parametrize(
    "record",
    [
        (b"junk", KEY),
        (MISFILED, KEY),
        OTHERS[1],
        replace(OTHERS[4], version=9),
        replace(OTHERS[3], data=EVENTS[0].data),
    ],
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
    assert stopped == {STREAM: f"stops at offset 3: gap, is version 4, but 3 is next (event {EVENTS[3].id})"}
