"""Where a stream's records lie, as the read model knows it: a trail needs to read no more of the log."""

import pytest

from audit.trail import rests_on, trail
from projections.queries import Queries, Span
from tests.integration.projections.bed import discarded, history


async def span_of(bed, stream):
    async with Queries(bed.database) as queries:
        return await queries.span(stream)


async def both(bed, stream):
    """The trail by the span, and the one of the whole partition."""
    span = await span_of(bed, stream)
    return [[step.line() for step in await trail(bed.log, stream, given)] for given in (span, None)]


async def test_a_stream_among_others_is_read_from_its_first_record_to_its_last(bed):
    events, length = [*history("a"), *history("b"), *history("c")], len(history("a"))
    bed.log.append(events)
    await bed.project()
    assert await span_of(bed, "consensus/b") == Span(0, length, 2 * length, 3 * length)
    bounded, whole = await both(bed, "consensus/b")
    assert bounded == whole
    assert len(whole) == length


async def test_what_is_not_projected_yet_is_read_as_well(bed):
    events = history("a")
    bed.log.append([*events[:3], *history("b"), *events[3:]])
    await bed.project(end=5)
    bounded, whole = await both(bed, "consensus/a")
    assert bounded == whole
    assert len(whole) == len(events)


@pytest.mark.parametrize("given_up", [False, True])
async def test_what_was_parked_or_given_up_is_part_of_the_trail(bed, given_up):
    events = history("a")
    bed.log.append([*events, *history("b")])
    offset = bed.log.put(b"junk", b"consensus/a")
    bed.log.append(history("c"))
    await bed.project()
    if given_up:
        bed.log.append([discarded(f"decisions.0.{offset}", "consensus/a")], topic="deadletters")
        await bed.project("deadletters")
        assert await bed.parked() == []
    bounded, whole = await both(bed, "consensus/a")
    assert bounded == whole
    assert "cannot be read" in bounded[-1]


async def test_of_an_unknown_stream_nothing_is_known_and_everything_is_read(bed):
    bed.log.append(history("a"))
    assert await span_of(bed, "consensus/a") is None
    assert rests_on(None) == "read: the stream's whole partition"
    assert len((await both(bed, "consensus/a"))[0]) == len(history("a"))
