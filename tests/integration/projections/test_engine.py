"""The projector of one partition against a real Postgres."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projections import engine, pipeline
from projections.fence import FenceLost
from projections.handover import Bounds
from tests.integration.projections.bed import history, running, until

NAMES = ("a", "b", "c")
HISTORIES = [history(name) for name in NAMES]
# Hypothesis gives one fixture to all examples; each begins with `bed.empty()`.
SHARED = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def deliveries(draw):
    """Histories interleaved, prefixes of them delivered again, and the offsets where the reader stops."""
    left = [list(events) for events in HISTORIES]
    log = []
    while any(left):
        log.append(draw(st.sampled_from([events for events in left if events])).pop(0))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(log)))
        again = draw(st.sampled_from(HISTORIES))
        known = len({e.id for e in log[:place]} & {e.id for e in again})
        log[place:place] = again[: draw(st.integers(0, known))]
    stops = draw(st.sets(st.integers(1, len(log)), max_size=5)) | {len(log)}
    return log, sorted(stops)


@SHARED
@given(delivery=deliveries(), records=st.sampled_from([1, 2, 3, 100]))
async def test_any_batching_and_any_repeated_prefix_give_the_same_rows(bed, delivery, records):
    log, stops = delivery
    await bed.empty()
    bed.log.append(log)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pipeline, "RECORDS", records)
        for stop in stops:
            await bed.project(end=stop)
    assert await bed.parked() == []
    assert await bed.versions() == {f"consensus/{name}": 6 for name in NAMES}
    assert await bed.rows("reputation", "voter, rulings, right_weight > 0") == [
        ("v0", 3, True),
        ("v1", 3, True),
        ("v2", 3, False),
    ]
    assert await bed.differences() == []


async def test_a_changed_row_is_a_difference_and_is_named(bed):
    bed.log.append(history("a"))
    await bed.project()
    assert await bed.differences() == []
    await bed.connection.execute("UPDATE deliberation SET consensus = 'no'")
    assert await bed.differences() == ['deliberation consensus/a: consensus is "no", should be "yes"']
    await bed.connection.execute("UPDATE deliberation SET consensus = 'yes'")
    await bed.connection.execute("DELETE FROM reputation WHERE voter = 'v1'")
    assert await bed.differences() == ["reputation weather/v1 is missing"]


async def test_a_stream_that_seemed_new_but_has_a_row_is_folded_on_its_row(bed):
    bed.log.append(history("a"))
    await bed.project()
    bed.log.append(history("a"))
    bed.log.append(history("b"))
    await bed.project()
    assert await bed.versions() == {"consensus/a": 6, "consensus/b": 6}
    assert await bed.parked() == []


async def test_streams_that_memory_forgot_are_read_from_their_rows(bed, monkeypatch):
    monkeypatch.setattr(engine, "REMEMBERED", 1)
    monkeypatch.setattr(pipeline, "RECORDS", 2)
    for events in zip(*(history(f"n{number}") for number in range(8)), strict=True):
        bed.log.append(events)
    await bed.project()
    assert await bed.versions() == {f"consensus/n{number}": 6 for number in range(8)}
    assert await bed.differences() == []


async def test_gaps_of_the_log_are_no_gaps_of_a_stream(bed):
    bed.log.append(history("a")[:3])
    bed.log.skip(7)
    bed.log.append(history("a")[3:])
    await bed.project()
    assert await bed.versions() == {"consensus/a": 6}
    assert await bed.rows("deliberation", "first_offset, last_offset") == [(0, 12)]


async def test_two_projectors_of_one_partition_have_one_effect(bed):
    for number in range(60):
        bed.log.append(history(f"n{number}"))
    end = bed.log.end()
    rivals = [await bed.projector() for _ in range(2)]
    lost = 0

    async def keep_on(projector):
        nonlocal lost
        while True:
            try:
                return await projector.follow(end)
            except FenceLost:
                lost += 1

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pipeline, "RECORDS", 7)
        patched.setattr(engine, "BOUNDS", Bounds(7, 7, 7, 7, pause=0))
        await asyncio.gather(*map(keep_on, rivals))
    assert lost > 0
    assert await bed.rows("reputation", "voter, rulings") == [("v0", 60), ("v1", 60), ("v2", 60)]
    assert await bed.differences() == []


async def test_a_write_that_lost_the_fence_leaves_nothing(bed):
    bed.log.append(history("a"))
    projector = await bed.projector()
    await bed.project(end=0)
    async with running(projector.follow()) as task:
        await until(lambda: _version_is(bed, 6), "the first history is projected")
        await bed.connection.execute("UPDATE projection_offset SET epoch = epoch + 1")
        bed.log.append(history("b"))
        with pytest.raises(FenceLost):
            await task
    assert await bed.versions() == {"consensus/a": 6}
    await bed.project()
    assert await bed.versions() == {"consensus/a": 6, "consensus/b": 6}


async def test_two_partitions_add_to_the_same_voters(bed):
    bed.log.counts["decisions"] = 2
    for number in range(40):
        bed.log.append(history(f"n{number}"))
    assert bed.log.end(partition=0) > 0 < bed.log.end(partition=1)
    projectors = [await bed.projector(partition=partition) for partition in (0, 1)]
    await asyncio.gather(*(p.follow(bed.log.end(partition=n)) for n, p in enumerate(projectors)))
    assert await bed.rows("reputation", "voter, rulings") == [("v0", 40), ("v1", 40), ("v2", 40)]
    assert await bed.differences() == []


async def test_a_projection_that_came_later_catches_up_alone(bed):
    bed.log.append(history("a"))
    await bed.project()
    await bed.connection.execute("DELETE FROM deliberation")
    await bed.connection.execute("DELETE FROM reputation")
    await bed.connection.execute("DELETE FROM projection_offset WHERE projection = 'consensus'")
    bed.log.put(b"no event", key=None)
    bed.log.append(history("b"))
    await bed.project()
    assert await bed.versions() == {"consensus/a": 6, "consensus/b": 6}
    assert await bed.parked() == [(6, "undecodable")]
    assert await bed.differences() == []


async def test_a_waiting_projector_applies_what_comes(bed):
    async with running((await bed.projector()).follow()):
        for name in NAMES:
            bed.log.append(history(name))
            await until(lambda name=name: _has(bed, name), f"{name} is projected")


async def _version_is(bed, version):
    return version in (await bed.versions()).values()


async def _has(bed, name):
    return (await bed.versions()).get(f"consensus/{name}") == 6
