"""The broker dies or freezes under a writer: callers are told, and nothing acknowledged is lost."""

import asyncio
import os
import signal
import time
from contextlib import aclosing

import pytest

from eventlog.codec import decode
from eventlog.partitioning import partition_of
from eventlog.reader import LogReader
from eventlog.topic_setup import ensure_topics
from eventlog.writer import LogWriter
from tests.unit.eventlog.examples import ballot

STREAM = "consensus/42"
PARTITION = partition_of(STREAM.encode(), 4)


@pytest.fixture
async def place(broker, topic_prefix):
    """Address and prefix of fresh topics."""
    await until(lambda: broker.ready)
    await ensure_topics(broker.part.address, topic_prefix)
    return broker.part.address, topic_prefix


class Caller:
    """Appends one version after the other, again until acknowledged, as an activity would."""

    def __init__(self, writer):
        self.writer, self.acknowledged, self.told, self.longest = writer, 0, 0, 0.0

    async def append_until(self, done):
        while not done():
            started = time.monotonic()
            try:
                await self.writer.append("decisions", [ballot(version=self.acknowledged + 1)])
            except TimeoutError:
                self.told += 1
            else:
                self.acknowledged += 1
            self.longest = max(self.longest, time.monotonic() - started)


async def until(condition, within=60):
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110 # it looks at what other tasks count
            await asyncio.sleep(0.01)


async def versions_in_order(place, expected):
    """Versions by their first occurrence, which is all that a reader takes."""
    seen = {}
    async with LogReader(*place) as reader, aclosing(reader.batches("decisions", PARTITION, 0)) as batches:
        async with asyncio.timeout(90):
            async for batch in batches:
                seen |= {decode(record.value).version: None for record in batch}
                if expected in seen:
                    return list(dict.fromkeys(seen))
    return None


@pytest.mark.parametrize("deadline", [0.5, 30], ids=["callers are told", "callers wait it out"])
async def test_after_a_kill_everything_acknowledged_is_there_in_order(broker, place, deadline):
    async with LogWriter(*place, deadline=deadline) as writer:
        caller = Caller(writer)
        stop = asyncio.Event()
        appending = asyncio.create_task(caller.append_until(stop.is_set))
        await until(lambda: caller.acknowledged > 50)
        os.kill(broker.pid, signal.SIGKILL)
        before = caller.acknowledged
        await until(lambda: caller.acknowledged > before + 50)
        stop.set()
        await appending
    assert (caller.told > 0) == (deadline < 1)
    assert caller.longest < deadline + 2
    assert await versions_in_order(place, caller.acknowledged) == list(range(1, caller.acknowledged + 1))


async def test_a_follower_goes_on_after_a_kill_without_missing_or_reordering(broker, place):
    received = []

    async def follow(reader):
        async with aclosing(reader.batches("decisions", PARTITION, 0)) as batches:
            async for batch in batches:
                received.extend(batch)

    async with LogReader(*place) as reader, LogWriter(*place) as writer:
        following = asyncio.create_task(follow(reader))
        caller = Caller(writer)
        await caller.append_until(lambda: caller.acknowledged >= 20)
        await until(lambda: received)  # it follows: while it connects, it says that Kafka is away
        os.kill(broker.pid, signal.SIGKILL)
        await caller.append_until(lambda: caller.acknowledged >= 40)
        await until(lambda: following.done() or (received and decode(received[-1].value).version >= 40))
        assert following.cancel(), following.exception()
    assert [record.offset for record in received] == list(range(len(received)))
    assert list(dict.fromkeys(decode(record.value).version for record in received)) == list(range(1, 41))


async def test_a_frozen_broker_is_a_timeout_and_then_it_goes_on(broker, place):
    async with LogWriter(*place, deadline=0.5) as writer:
        await writer.append("decisions", [ballot(version=1)])
        os.kill(broker.pid, signal.SIGSTOP)
        try:
            started = time.monotonic()
            said = r"decisions did not acknowledge 1 event within 0\.5 s: (Kafka does not answer|appending)"
            with pytest.raises(TimeoutError, match=said):
                await writer.append("decisions", [ballot(version=2)])
            assert time.monotonic() - started < 2
        finally:
            os.kill(broker.pid, signal.SIGCONT)
        caller = Caller(writer)
        caller.acknowledged = 1
        await caller.append_until(lambda: caller.acknowledged >= 10)
    assert await versions_in_order(place, 10) == list(range(1, 11))


async def test_a_writer_that_is_closed_while_the_broker_is_away_closes_soon(broker, place):
    async with LogWriter(*place, deadline=0.5) as writer:
        await writer.append("decisions", [ballot(version=1)])
        os.kill(broker.pid, signal.SIGSTOP)
        try:
            with pytest.raises(TimeoutError):
                await writer.append("decisions", [ballot(version=2)])
            started = time.monotonic()
            await writer.__aexit__(None, None, None)
            assert time.monotonic() - started < 4
        finally:
            os.kill(broker.pid, signal.SIGCONT)
