"""History and watching, read from a log that holds writes twice, and what no reader takes."""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from domain.context.events import stream_of
from domain.context.recording import recorded
from domain.context.residency import Residency
from eventlog.search import read_stream
from tests.fakes.log_reader import MemoryReader
from tests.unit.domain.context.given import wrote
from workers.context_log import entry_at, history, moment_of, watch

TOPIC = "context.eu"
ONE = wrote("eu-1:1", 1, wall=1000)
TWO = wrote("us-1:1", 2, wall=2000)
BOTH = wrote("eu-1:2", 3, seen="eu-1:1 us-1:1", wall=3000)


class Reader(MemoryReader):
    async def stream(self, stream, start=None, end=None):
        return await read_stream(self, stream, start, end)


def told(write, region="eu"):
    return recorded(write, region, Residency())


@pytest.fixture
def log():
    return Reader()


async def read(log):
    return await history(log, "eu", "situational", "k")


async def test_history_tells_each_write_once_and_how_it_met_the_others(log):
    log.append(map(told, [ONE, ONE, TWO, ONE, BOTH, TWO, BOTH, wrote("eu-1:1", key="other")]), TOPIC)
    found, entry = await read(log)
    assert [(one.write.value, one.standing, one.offset) for one in found] == [
        (1, "new", 0),
        (2, "concurrent", 2),
        (3, "new", 4),
    ]
    assert [write.value for write in entry.siblings] == [3]


async def test_what_readers_park_is_no_history(log):
    stream = stream_of("eu", "situational", "k")
    log.put(b"no event", stream.encode(), TOPIC)
    log.append([replace(told(TWO), version=7), told(ONE)], TOPIC)
    found, _ = await read(log)
    assert [one.write.value for one in found] == [1]


async def test_of_a_key_that_was_never_written_there_is_nothing(log):
    log.append([told(wrote("eu-1:1", key="other"))], TOPIC)
    assert await read(log) == ([], None)


async def test_a_moment_shows_what_was_written_by_then(log):
    log.append(map(told, [BOTH, TWO, ONE]), TOPIC)  # a log may have them in any order
    found, _ = await read(log)
    at = {wall: entry_at(found, datetime.fromtimestamp(wall / 1000, UTC)) for wall in (999, 1000, 2500, 3000)}
    assert at[999] is None
    assert [[w.value for w in at[wall].siblings] for wall in (1000, 2500, 3000)] == [[1], [2, 1], [3]]


async def test_watching_shows_each_new_write_once_and_only_those_wanted(log):
    log.append([told(ONE)], TOPIC)
    ready = asyncio.Event()
    seen = []

    async def see():
        async with aclosing(watch(log, "eu", lambda write: write.key == "k", ready.set)) as found:
            async for one in found:
                seen.append(one.write.value)
                if len(seen) == 2:
                    return

    task = asyncio.create_task(see())
    await ready.wait()
    log.append(map(told, [TWO, wrote("eu-1:1", key="other"), TWO, BOTH]), TOPIC)
    await asyncio.wait_for(task, 5)
    assert seen == [2, 3]


async def test_what_stops_the_reading_is_raised_as_it_is(log):
    async def lost(*place):
        raise OSError("gone")
        yield place

    log.batches = lost
    with pytest.raises(OSError, match="gone"):
        await anext(watch(log, "eu", lambda write: True, lambda: None))  # noqa: ARG005 # any write


@pytest.mark.parametrize(
    ("text", "hour"), [("2026-11-21T12:00:00Z", 12), ("2026-11-21T12:00:00.5+02:00", 10)]
)
def test_a_moment_needs_its_offset(text, hour):
    assert moment_of(text).hour == hour
    assert moment_of(text).tzinfo is UTC
    assert moment_of(text[:19]) is None
    assert moment_of("noon") is None
    assert moment_of("0001-01-01T00:00:00+14:00") is None
    assert moment_of("9999-12-31T23:59:59-14:00") is None
