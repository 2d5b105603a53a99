"""What the audit reads of a stream is what the projections apply of it, whatever was written."""

from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from audit.decisions import Passed, settled_streams, stream_events
from domain.consensus.events import SETTLING
from domain.refusal import Refusal
from eventlog.codec import encode
from projections.in_memory import fold_log
from tests.unit.audit.test_decisions import EVENTS, KEY, MISFILED, OTHERS, STREAM, given_up, log_of

odd = st.one_of(
    st.sampled_from(EVENTS),
    st.sampled_from(OTHERS),
    st.sampled_from([(b"junk", KEY), (MISFILED, KEY), (encode(EVENTS[1]), b"consensus/elsewhere")]),
)


@st.composite
def written(draw):
    """A deliberation's events in order, some of them missing, with anything between them."""
    records = []
    for event in EVENTS:
        records += draw(st.lists(odd, max_size=2)) if draw(st.booleans()) else []
        records += [event] if draw(st.integers(0, 9)) else []
    return records + draw(st.lists(odd, max_size=2))


async def read_by_the_audit(reader):
    """Version and id of the event that settles the stream, None where none does; and all that stand still."""
    passed = Passed()
    ends = [
        (events[-1].version, events[-1].id)
        async for events in settled_streams(reader, lambda *_: None, passed)
        if events[0].stream == STREAM
    ]
    assert len(ends) <= 1
    return ends[0] if ends else None, set(passed.stopped)


async def applied_by_the_projections(reader):
    ends = {(topic, 0): reader.end(topic) for topic in ("decisions", "deadletters")}
    rows = await fold_log(reader, ends)
    stopped = {letter.stream for letter in rows.totals.dead if letter.topic == "decisions"} - {None}
    stream, _ = rows.streams.get(STREAM, (None, 0))
    if stream is None or not stream.version or not stream.projection.settled(stream.state):
        return None, stopped
    return (stream.version, stream.last_id), stopped - {STREAM}


async def read_alone(reader):
    passed = Passed()
    try:
        events = await stream_events(reader, STREAM, passed)
    except Refusal:
        return None, set(passed.stopped)
    last = events[-1]
    return (last.version, last.id) if isinstance(last.data, SETTLING) else None, set(passed.stopped)


@given(written(), st.integers(1, 12), st.data())
async def test_the_audit_settles_a_stream_where_the_projections_do(records, size, data):
    reader = log_of(*records)
    given_up(reader, *data.draw(st.sets(st.integers(0, len(records)), max_size=3)))
    end, stopped = await applied_by_the_projections(reader)
    assert await read_alone(reader) == (end, stopped & {STREAM})
    reader.batches = partial(reader.batches, max_records=size)
    assert await read_by_the_audit(reader) == (end, stopped)


async def test_after_a_record_that_was_given_up_nothing_is_taken_that_cannot_follow():
    reader = given_up(log_of(*EVENTS[-2:]), 0)
    assert await read_by_the_audit(reader) == (None, {STREAM}) == await applied_by_the_projections(reader)
