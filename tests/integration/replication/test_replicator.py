"""The replicator on a real Kafka: every write to every region, and none where it may not be."""

import asyncio
from collections import Counter
from dataclasses import replace
from functools import partial

import pytest

from domain.context.layers import NAMES, Layers
from domain.context.policy import ContextPolicy, policy_from
from domain.context.recording import recorded
from domain.context.residency import Residency
from eventlog.codec import MAX_EVENT_BYTES, decode, encode
from eventlog.topic_setup import ensure_topics
from eventlog.writer import LogWriter
from tests.integration.replication.bed import SOON, replicating, until, write
from workers import replicating as replicating_
from workers.replicating import Link, Place
from workers.replicator import replicate, work_on
from workers.replicator_metrics import ReplicatorMetrics

A, B, C = write("eu-1:1", 1), write("us-1:1", 2), write("asia-1:1", 3)


async def test_what_each_region_writes_in_each_layer_comes_to_all_and_all_are_equal(regions):
    writes = [
        write(f"{region}-1:{n}", {region: n}, layer=layer, key=f"k{n}")
        for region in regions.names
        for layer in NAMES
        for n in (1, 2)
    ]
    await regions.write(*writes[::2])
    async with replicating(regions.links()):
        await regions.write(*writes[1::2])
        for region in regions.names:
            await regions.has(region, *writes)
    assert len({await regions.state(region) for region in regions.names}) == 1
    for region in regions.names:
        stored = Counter(record.value for record in await regions.records(region))
        assert stored == Counter(encode(recorded(one, region, Residency())) for one in writes)


async def test_a_later_replicator_goes_on_where_the_last_one_ended(regions):
    await regions.write(A)
    async with replicating(regions.links()):
        await regions.has("us", A)
    await regions.write(write("eu-1:2", 2, seen="eu-1:1"))
    async with replicating(regions.links()):
        await regions.has("us", write("eu-1:2"))
        await regions.has("asia", write("eu-1:2"))
    assert set((await regions.dots("us")).values()) == {1}


async def test_a_backlog_is_appended_in_pieces_that_are_acknowledged_in_time(regions, monkeypatch):
    sizes = []

    class Counting(LogWriter):
        async def append_encoded(self, topic, encoded):
            if topic == "context.us":
                sizes.append(len(encoded))
            return await super().append_encoded(topic, encoded)

    monkeypatch.setattr(replicating_, "LogWriter", Counting)
    monkeypatch.setattr(replicating_, "AT_ONCE", 10)
    writes = [
        write(f"eu-1:{n}", n, layer="historical", seen=f"eu-1:{n - 1}" if n > 1 else "") for n in range(1, 26)
    ]
    await regions.write(*writes)
    async with replicating(regions.links("eu", "us")):
        await regions.has("us", writes[-1])
    assert sorted(size for size in sizes if size) == [5, 10, 10]


async def test_two_replicators_and_what_goes_round_change_nothing(regions):
    await regions.write(A, B, C)
    async with replicating(regions.links()), replicating(regions.links()):
        late = write("eu-1:2", 5, seen="eu-1:1 us-1:1")
        await regions.write(late)
        for region in regions.names:
            await regions.has(region, A, B, C, late)
    assert len({await regions.state(region) for region in regions.names}) == 1
    for region in regions.names:
        for dot, times in (await regions.dots(region)).items():
            # Its own region has a write once, another one at most from each replicator.
            assert times <= (1 if dot[2] == f"{region}-1" else 2)
    async with replicating(regions.links(), again=True):
        marker = write("eu-1:3", 6, seen="eu-1:2")
        await regions.write(marker)
        await regions.has("us", marker)
        await regions.has("asia", marker)
    assert len({await regions.state(region) for region in regions.names}) == 1


async def test_a_pinned_value_never_lies_on_another_regions_topic(regions):
    pins = [{"key": "patient/*", "regions": ["eu", "asia"]}, {"layer": "cultural", "regions": ["eu"]}]
    policy = ContextPolicy(SOON.layers, policy_from({"pins": pins}).residency)
    secret = write("eu-1:1", "SECRET-1", key="patient/7")
    custom = write("eu-1:1", "SECRET-2", key="k", layer="cultural")
    free = [write("eu-1:1", "free", key="z", layer=layer) for layer in ("immediate", "situational")]
    numbers = ReplicatorMetrics()
    await regions.write(secret, custom, *free)
    async with replicating(regions.links(), policy, metrics=numbers):
        await regions.has("us", *free)
        await regions.has("asia", *free, secret)

        async def judged():
            return numbers.lag(("eu", "us", "cultural")) < 5 and numbers.lag(("eu", "us", "immediate")) < 5

        await until(judged)
        raw = {name: b"".join(r.value for r in await regions.records(name)) for name in regions.names}
    assert (b"SECRET-1" in raw["us"], b"SECRET-1" in raw["asia"]) == (False, True)
    assert [name for name in regions.names if b"SECRET-2" in raw[name]] == ["eu"]
    withheld = "folkmoot_replicator_withheld_total"
    labels = {"source_region": "eu", "target_region": "us", "context_type": "immediate"}
    assert numbers.registry.get_sample_value(withheld, labels) == 1
    # A pin that was lifted: from then on new writes only, unless everything is passed on once more.
    async with replicating(regions.links(), again=True):
        await regions.has("us", secret, custom)


async def test_a_layer_waits_for_its_turn_and_then_the_urgent_go_first(regions):
    """Of one key, so that the order on the topic is the order of appending."""
    calm = write("eu-1:1", "calm", layer="cultural")
    flags = [("historical",), (), ("user_facing",), ("conflict_resolution",), ("user_facing",)]
    writes = [write(f"eu-1:{n}", n, layer="cultural", flags=some) for n, some in enumerate(flags, 2)]
    policy = ContextPolicy(Layers())
    await regions.write(calm)
    async with replicating(regions.links("eu", "us"), policy):
        await regions.has("us", calm)
        await regions.write(*writes)
        prompt = write("eu-1:1", "now")
        await regions.write(prompt)
        await regions.has("us", prompt)
        assert len(await regions.records("us")) == 2, "its next turn is in five minutes"
    async with replicating(regions.links("eu", "us"), policy):
        await regions.has("us", *writes)
    found = [decode(record.value).data for record in await regions.records("us")]
    assert [one.counter for one in found if one.layer == "cultural"] == [1, 4, 6, 5, 3, 2]


async def test_what_is_no_write_of_the_region_is_passed_over(regions, kafka, topic_prefix):
    from aiokafka import AIOKafkaProducer

    good = recorded(A, "eu", Residency())
    foreign = [
        (b"no event", good.stream.encode()),
        (encode(recorded(B, "us", Residency())), recorded(A, "eu", Residency()).stream.encode()),
        (encode(good), b"context/eu.immediate.0"),
        (encode(good), None),
        (b"{}", b"context/eu.immediate.1"),
    ]
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        for value, key in foreign:
            await producer.send_and_wait(f"{topic_prefix}context.eu", value, key=key)
    after = write("eu-1:2", 2, seen="eu-1:1")
    await regions.write(after)
    async with replicating(regions.links("eu", "us")):
        await regions.has("us", after)
    assert [*await regions.dots("us")] == [("immediate", "k", "eu-1", 2)]


async def test_a_topic_that_mirror_maker_keeps_is_a_source(regions, kafka, topic_prefix):
    """`eu.context.eu` holds the raw records of `context.eu` in the cluster of another region."""
    from aiokafka import AIOKafkaProducer
    from aiokafka.admin import AIOKafkaAdminClient, NewTopic

    from workers.replicator_places import mirrored

    source = mirrored("eu", kafka, topic_prefix)
    assert source == Place("eu", kafka, f"eu.{topic_prefix}")
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(f"eu.{topic_prefix}context.eu", 2, 1)])
    await admin.close()
    copies = [recorded(one, "eu", Residency()) for one in (A, write("eu-1:1", 2, layer="situational"))]
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        for event in copies:
            await producer.send_and_wait(
                f"eu.{topic_prefix}context.eu", encode(event), key=event.stream.encode()
            )
    async with replicating([Link(source, regions.place("us"))]):
        await regions.has("us", *(event.data for event in copies))
    assert await regions.records("eu") == []


async def test_the_lag_of_each_way_is_what_the_target_lacks(regions):
    numbers = ReplicatorMetrics()
    ways = [("eu", "us", layer) for layer in NAMES]
    async with replicating(regions.links("eu", "us"), metrics=numbers):

        async def known():
            return all(numbers.lag(way) < 5 for way in ways)

        await until(known)
    labels = {"source_region": "eu", "target_region": "us", "context_type": "historical"}
    assert numbers.registry.get_sample_value("context_synchronization_lag", labels) >= 0


@pytest.mark.parametrize("layer", ["immediate", "cultural"])
async def test_a_place_that_the_log_does_not_hold_any_more_is_taken_up_from_its_beginning(
    kafka, topic_prefix, layer, regions
):
    from aiokafka import AIOKafkaConsumer, TopicPartition

    group = f"{topic_prefix}folkmoot.replicator.eu.us.{layer}"
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, group_id=group, enable_auto_commit=False)
    await consumer.start()
    places = [TopicPartition(f"{topic_prefix}context.eu", partition) for partition in range(4)]
    consumer.assign(places)
    await consumer.commit(dict.fromkeys(places, 1000))
    await consumer.stop()
    one = write("eu-1:1", 1, layer=layer)
    await regions.write(one)
    async with replicating(regions.links("eu", "us")):
        await regions.has("us", one)


async def test_a_region_that_begins_to_exist_gets_all_there_is_and_is_passed_on(regions, kafka, topic_prefix):
    before, after, theirs = write("eu-1:1"), write("eu-1:2"), write("new-1:1")
    numbers, told = ReplicatorMetrics(), asyncio.Event()
    own = Place("", kafka, topic_prefix)
    work = asyncio.create_task(
        work_on((), (), own, False, partial(replicate, SOON, told.set, numbers))  # as in `run`
    )
    try:
        await regions.write(before)
        await regions.has("us", before)
        await ensure_topics(kafka, topic_prefix, regions=["new"])
        await regions.has("new", before)
        await regions.write(after, theirs)
        await regions.has("new", after)
        await regions.has("us", after, theirs)
        assert not work.done()
    finally:
        work.cancel()
        await asyncio.wait({work})


async def test_what_cannot_be_stored_there_is_passed_over_and_stops_nothing(regions):
    wide = write("eu-1:1", "", key="wide")
    room = MAX_EVENT_BYTES - len(encode(recorded(wide, "eu", Residency())))
    wide = replace(wide, value="x" * room)  # in another region its event names its cause, and is too large
    await regions.write(wide)
    await regions.write(A)
    async with replicating(regions.links("eu", "us")):
        await regions.has("us", A)
    assert [dot[1] for dot in await regions.dots("us")] == [A.key]
