"""What the audit reads of a stream is what the projections apply of it, whatever was written."""

from hypothesis import given
from hypothesis import strategies as st

from audit.decisions import settled_streams
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
    """Version and id of the event that settles the stream; None where it is open or stands still."""
    ends = [
        (events[-1].version, events[-1].id)
        async for events in settled_streams(reader, lambda *_: None)
        if events[0].stream == STREAM
    ]
    assert len(ends) <= 1
    return ends[0] if ends else None


async def applied_by_the_projections(reader):
    ends = {(topic, 0): reader.end(topic) for topic in ("decisions", "deadletters")}
    stream, _ = (await fold_log(reader, ends)).streams.get(STREAM, (None, 0))
    if stream is None or not stream.version or not stream.projection.settled(stream.state):
        return None
    return stream.version, stream.last_id


@given(written(), st.data())
async def test_the_audit_settles_a_stream_where_the_projections_do(records, data):
    reader = log_of(*records)
    given_up(reader, *data.draw(st.sets(st.integers(0, len(records)), max_size=3)))
    assert await read_by_the_audit(reader) == await applied_by_the_projections(reader)


async def test_after_a_record_that_was_given_up_nothing_is_taken_that_cannot_follow():
    reader = given_up(log_of(*EVENTS[-2:]), 0)
    assert await read_by_the_audit(reader) is None is await applied_by_the_projections(reader)
