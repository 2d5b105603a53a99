"""The three servers that every other integration test stands on."""

import uuid

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from temporalio.client import Client
from temporalio.service import RPCError


async def test_kafka_gives_back_what_was_acknowledged(kafka: str, topic_prefix: str) -> None:
    topic = f"{topic_prefix}words"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=kafka, acks="all") as producer:
        await producer.send_and_wait(topic, b"a word")
    async with AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest") as consumer:
        assert (await consumer.getone()).value == b"a word"


async def test_each_test_has_an_empty_database_of_its_own(database: str) -> None:
    connection = await asyncpg.connect(database)
    try:
        tables = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        version = await connection.fetchval("SHOW server_version")
    finally:
        await connection.close()
    assert tables == 0
    assert version.startswith("18.")


async def test_temporal_answers_for_its_namespace(temporal: str) -> None:
    client = await Client.connect(temporal)
    with pytest.raises(RPCError, match="not found"):
        await client.get_workflow_handle(uuid.uuid4().hex).describe()
