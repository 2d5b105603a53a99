"""Topics are made to keep everything, twice does no harm, and what would lose history is refused."""

import asyncio

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from domain.context.recording import recorded
from domain.context.residency import Residency
from domain.refusal import Refusal
from eventlog.codec import encode
from eventlog.reader import LogReader
from eventlog.topic_setup import ensure_topics
from eventlog.topics import REGIONAL, TOPICS, settings
from eventlog.writer import LogWriter
from tests.unit.domain.context.given import wrote


@pytest.fixture
async def admin(kafka):
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    yield admin
    await admin.close()


async def test_all_topics_are_made_with_their_partitions_and_then_left_alone(kafka, topic_prefix):
    names = tuple(topic_prefix + name for name in TOPICS)
    first = await ensure_topics(kafka, topic_prefix)
    again = await ensure_topics(kafka, topic_prefix)
    assert (first.created, first.existing) == (names, ())
    assert (again.created, again.existing) == ((), names)
    async with LogReader(kafka, topic_prefix) as reader:
        for topic in TOPICS.values():
            assert await reader.partitions(topic.name) == list(range(topic.partitions))


async def test_a_region_exists_from_when_its_topic_is_made_and_is_seen_by_everyone(kafka, topic_prefix):
    async with LogReader(kafka, topic_prefix) as reader:
        await ensure_topics(kafka, topic_prefix)
        assert await reader.topics() == [*TOPICS]
        made = await ensure_topics(kafka, topic_prefix, regions=["us", "eu", "us"])
        assert made.created == (f"{topic_prefix}context.eu", f"{topic_prefix}context.us")
        assert await reader.topics() == [*TOPICS, "context.eu", "context.us"]
        assert await reader.partitions("context.us") == list(range(REGIONAL["context"].partitions))
        again = await ensure_topics(kafka, topic_prefix)
        assert again.existing[-2:] == made.created


async def test_a_write_goes_to_the_topic_of_its_region_and_is_found_there(kafka, topic_prefix):
    await ensure_topics(kafka, topic_prefix, regions=["eu", "us"])
    write = wrote("eu-1:1", {"free": 8}, wall=1795255200250)
    here, copy = (recorded(write, region, Residency()) for region in ("eu", "us"))
    async with LogReader(kafka, topic_prefix) as reader, LogWriter(kafka, topic_prefix) as writer:
        await writer.append("context.eu", [here])
        with pytest.raises(Refusal, match=r"does not belong to topic context\.us"):
            await writer.append("context.us", [here])
        assert await reader.stream(copy.stream) == []
        await writer.append("context.us", [copy])
        found = await reader.find(copy.id)
        assert (found.topic, found.value) == ("context.us", encode(copy))
        assert [record.topic for record in await reader.stream(here.stream)] == ["context.eu"]


async def test_a_name_that_is_no_regions_makes_no_topic(kafka, topic_prefix, admin):
    with pytest.raises(Refusal, match="lower-case letters"):
        await ensure_topics(kafka, topic_prefix, regions=["eu", "EU"])
    assert not [name for name in await admin.list_topics() if name.startswith(topic_prefix)]


async def test_the_broker_keeps_the_settings(kafka, topic_prefix, admin):
    await ensure_topics(kafka, topic_prefix)
    resource = ConfigResource(ConfigResourceType.TOPIC, topic_prefix + "decisions")
    ((described,),) = [answer.resources for answer in await admin.describe_configs([resource])]
    found = {entry[0]: entry[1] for entry in described[4]}
    assert settings(1).items() <= found.items()


async def test_two_processes_may_make_them_at_the_same_time(kafka, topic_prefix):
    made = await asyncio.gather(*(ensure_topics(kafka, topic_prefix) for _ in range(3)))
    assert sorted(name for ensured in made for name in ensured.created) == sorted(
        topic_prefix + n for n in TOPICS
    )


async def test_an_existing_topic_that_would_lose_history_is_refused_by_name(kafka, topic_prefix, admin):
    name = topic_prefix + "decisions"
    await admin.create_topics(
        [NewTopic(name, 4, 1, topic_configs=settings(1) | {"retention.ms": "604800000"})]
    )
    with pytest.raises(Refusal, match=rf"topic {name}: has retention\.ms=604800000, it would lose history"):
        await ensure_topics(kafka, topic_prefix)


async def test_an_existing_topic_keeps_its_own_number_of_partitions(kafka, topic_prefix, admin):
    await admin.create_topics([NewTopic(topic_prefix + "decisions", 7, 1, topic_configs=settings(1))])
    await ensure_topics(kafka, topic_prefix)
    async with LogReader(kafka, topic_prefix) as reader:
        assert await reader.partitions("decisions") == list(range(7))


async def test_a_replication_that_the_cluster_cannot_give_is_refused_by_name(kafka, topic_prefix):
    with pytest.raises(Refusal, match=rf"topic {topic_prefix}decisions: the cluster refuses it: "):
        await ensure_topics(kafka, topic_prefix, replication=3)


async def test_a_cluster_that_is_not_there_is_named():
    with pytest.raises(ConnectionError, match=r"Kafka at 127\.0\.0\.1:1 does not answer"):
        await ensure_topics("127.0.0.1:1", deadline=5)
