"""A topic that was given more partitions is refused by whoever would write to it."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions

from domain.refusal import Refusal
from eventlog.reader import LogReader
from eventlog.topics import kafka_name
from projections import fence
from projections.registry import standing_on
from workers import orchestrator, partition_counts, settings
from workers.migrate import migrate

DEADLINE = 60.0
REFUSED = (
    r"^topic decisions: has 6 partitions on the cluster, but was projected with 4, .*FOLKMOOT_TOPIC_PREFIX"
)


@pytest.fixture
async def deployed(kafka, database, temporal, topic_prefix, tmp_path):
    """Servers on which the topic of decisions was projected once."""
    given = {"FOLKMOOT_KAFKA": kafka, "FOLKMOOT_DATABASE_URL": database, "TEMPORAL_ADDRESS": temporal}
    deployed = settings.load(tmp_path, given | {"FOLKMOOT_TOPIC_PREFIX": topic_prefix})
    await migrate(deployed)
    connection = await asyncpg.connect(database)
    try:
        await fence.enter_topic(connection, "decisions", standing_on("decisions"), 4)
    finally:
        await connection.close()
    return deployed


async def raise_to(deployed, partitions):
    admin = AIOKafkaAdminClient(bootstrap_servers=deployed.kafka)
    await admin.start()
    try:
        name = kafka_name(deployed.topic_prefix, "decisions")
        await admin.create_partitions({name: NewPartitions(partitions)})
        async with LogReader(deployed.kafka, deployed.topic_prefix) as reader, asyncio.timeout(DEADLINE):
            while len(await reader.partitions("decisions")) != partitions:  # noqa: ASYNC110 # Kafka says nothing
                await asyncio.sleep(0.05)
    finally:
        await admin.close()


async def test_the_orchestrator_refuses_it_before_it_takes_anything_on(deployed):
    await partition_counts.check_if_known(deployed)
    await raise_to(deployed, 6)
    taken_on: list[bool] = []
    with pytest.raises(Refusal, match=REFUSED):
        await asyncio.wait_for(orchestrator.run(deployed, lambda: taken_on.append(True)), DEADLINE)
    assert not taken_on


async def test_it_is_not_refused_where_postgres_cannot_tell(deployed, capsys):
    await raise_to(deployed, 6)
    await partition_counts.check_if_known(replace(deployed, database_url="postgresql://u@127.0.0.1:1/none"))
    assert "partitions.unchecked" in "".join(capsys.readouterr())
