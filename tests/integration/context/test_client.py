"""Puts of real nodes: to the outbox, to Kafka, into Postgres, and back to who reads."""

import asyncio
from dataclasses import replace

import pytest

from domain.context.commands import PutContext
from domain.context.versions import VersionMoved
from domain.refusal import Refusal
from eventlog.codec import decode
from eventlog.reader import LogReader
from eventlog.search import find
from eventlog.topic_setup import ensure_topics
from tests.integration.projections.bed import until
from workers.context_client import ContextClient

WEATHER = ("situational", "weather/lake")


async def on_the_log(settings, region="eu"):
    """Every event of the region's topic, partition by partition."""
    topic = f"context.{region}"
    async with LogReader(settings.kafka, settings.topic_prefix) as reader:
        found = []
        for partition in await reader.partitions(topic):
            start, end = await reader.beginning_and_end(topic, partition)
            async for batch in reader.batches(topic, partition, start, end):
                found += [decode(record.value) for record in batch]
    return found


async def read_until(client, present, *place):
    found = None

    async def seen():
        nonlocal found
        found = await client.get(*(place or WEATHER))
        return present(found)

    await until(seen, "found")
    return found


async def test_a_put_is_answered_projected_and_read_by_another_node(settings, projector, client, elsewhere):
    async with client() as ann:
        answer = await ann.put(*WEATHER, {"wind": 3}, writer="ann", flags=["user_facing"])
        assert answer.success
        assert (answer.local_version, answer.conflicts_detected) == ("eu-1:1", 0)
        assert not answer.requires_remote_resolution
        assert (await ann.get(*WEATHER)).value == {"wind": 3}  # its own, projected or not
        assert await ann.drained(10) == 0
    async with LogReader(settings.kafka, settings.topic_prefix) as reader:
        record = await find(reader, answer.context_id)
    assert decode(record.value).data.value == {"wind": 3}
    async with ContextClient(elsewhere("b"), "eu", "eu-2") as bob:
        found = await read_until(bob, lambda found: found.present)
        assert (found.value, found.version, found.projected) == ({"wind": 3}, "eu-1:1", True)
        assert found.staleness_seconds is not None
        assert 0 <= found.staleness_seconds < 60
        again = await bob.put(*WEATHER, {"wind": 4})
        assert (again.local_version, again.conflicts_detected) == ("eu-2:1", 0)


async def test_a_node_whose_clock_is_behind_reads_its_own_writes_until_they_end_by_that_clock(client):
    now = 1_000_000_000_000
    async with client(clock=lambda: now) as ann:
        await ann.put("immediate", "door", "open")
        assert (await ann.get("immediate", "door")).value == "open"
        now += 300_000
        assert not (await ann.get("immediate", "door")).present


async def test_puts_of_two_nodes_that_know_nothing_of_each_other_become_siblings(
    projector, client, elsewhere
):
    async with client() as ann, ContextClient(elsewhere("b"), "eu", "eu-2") as bob:
        await asyncio.gather(ann.put(*WEATHER, "calm"), bob.put(*WEATHER, "storm"))
        await asyncio.gather(ann.drained(10), bob.drained(10))
        found = await read_until(ann, lambda found: len(found.siblings) == 2)
        assert not found.present
        assert found.version == "eu-1:1,eu-2:1"
        assert found.resolution.resolution is None
        told = await ann.put(*WEATHER, "fog")  # has not read them: it joins them
        assert (told.conflicts_detected, told.requires_remote_resolution) == (1, True)
        settled = await ann.put(*WEATHER, "gale", if_version="eu-1:2,eu-2:1")
        assert (settled.local_version, settled.conflicts_detected) == ("eu-1:3", 0)


async def test_if_version_compares_with_what_the_region_has_and_not_with_what_the_node_knew(
    projector, client, elsewhere
):
    async with client() as ann, ContextClient(elsewhere("b"), "eu", "eu-2") as bob:
        first = await ann.put(*WEATHER, 1)
        await ann.drained(10)
        await read_until(bob, lambda found: found.present)
        await bob.put(*WEATHER, 2, if_version=first.local_version)
        await bob.drained(10)
        async with ContextClient(elsewhere("c"), "eu", "eu-3") as other:  # who has nothing of its own
            await read_until(other, lambda found: found.version == "eu-2:1")
        with pytest.raises(VersionMoved, match=r"the region has eu-2:1"):
            await ann.put(*WEATHER, 3, if_version=first.local_version)
        with pytest.raises(VersionMoved, match="the region has none"):
            await ann.put("situational", "other", 3, if_version="eu-9:9")
        assert (await ann.put("situational", "other", 3, if_version="none")).local_version == "eu-1:1"


async def test_with_postgres_away_a_node_puts_and_reads_what_it_has_but_compares_nothing(
    settings,
):
    alone = replace(settings, database_url="postgresql://nobody@127.0.0.1:1/x")
    async with ContextClient(alone, "eu", "eu-1") as ann:
        await ann.put(*WEATHER, 1)
        await ann.put(*WEATHER, 2)
        found = await ann.get(*WEATHER)
        assert (found.value, found.version) == (2, "eu-1:2")
        assert (found.projected, found.staleness_seconds) == (False, None)
        with pytest.raises(OSError, match="if_version: what eu has cannot be looked up now"):
            await ann.put(*WEATHER, 3, if_version="eu-1:2")
        assert await ann.drained(10) == 0
    assert [event.data.value for event in await on_the_log(settings)] == [1, 2]


async def test_with_kafka_away_puts_are_answered_and_passed_on_by_the_next_who_reaches_it(settings, client):
    async with client() as ann:  # the region is asked for once
        await ann.put("immediate", "door", 0)
        assert await ann.drained(10) == 0
    away = replace(settings, kafka="127.0.0.1:1")
    async with ContextClient(away, "eu", "eu-1") as ann:
        for number in range(1, 6):
            await ann.put("immediate", "door", number)
        assert await ann.drained(0.2) == 5
    async with client() as ann:
        assert await ann.drained(10) == 0
    assert [event.data.value for event in await on_the_log(settings)] == [0, 1, 2, 3, 4, 5]


async def test_a_region_that_does_not_exist_is_refused_before_anything_is_stored(settings):
    with pytest.raises(Refusal, match=r"ue does not exist; `moot migrate --region ue` makes it"):
        async with ContextClient(settings, "ue", "eu-1"):
            pass
    assert not (settings.data / "context" / "ue" / "eu-1.db").exists()


async def test_many_puts_at_once_are_each_answered_and_all_on_the_log(settings, client):
    async with client() as ann:
        commands = [PutContext("situational", f"k{n % 50}", n, "ann") for n in range(500)]
        many, *ones = await asyncio.gather(
            ann.put_many(commands), *(ann.put("cultural", f"k{n}", n) for n in range(200))
        )
        assert await ann.drained(10) == 0
    events = await on_the_log(settings)
    assert sorted(e.id for e in events) == sorted(a.context_id for a in [*many, *ones])
    assert len({e.id for e in events}) == 700
    for number in range(50):
        values = [
            e.data.value for e in events if e.data.key == f"k{number}" and e.data.layer == "situational"
        ]
        assert values == list(range(number, 500, 50))


async def test_a_region_that_begins_to_exist_is_projected_without_a_restart(settings, projector):
    await ensure_topics(settings.kafka, settings.topic_prefix, regions=["ap"])
    async with ContextClient(settings, "ap", "ap-1") as client:
        await client.put(*WEATHER, "new")
        found = await read_until(client, lambda found: found.staleness_seconds is not None)
    assert (found.value, found.region) == ("new", "ap")
