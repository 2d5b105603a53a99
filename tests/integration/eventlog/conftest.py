"""A log of the test's own: fresh topics on the shared broker."""

import pytest

from eventlog.reader import LogReader
from eventlog.topic_setup import ensure_topics
from eventlog.writer import LogWriter


@pytest.fixture
async def prefix(kafka, topic_prefix):
    await ensure_topics(kafka, topic_prefix)
    return topic_prefix


@pytest.fixture
async def writer(kafka, prefix):
    async with LogWriter(kafka, prefix) as writer:
        yield writer


@pytest.fixture
async def reader(kafka, prefix):
    async with LogReader(kafka, prefix) as reader:
        yield reader


@pytest.fixture
def whole(reader):
    """All records of a topic, partition after partition."""

    async def whole(topic="decisions"):
        records = []
        for partition in await reader.partitions(topic):
            beginning, end = await reader.beginning_and_end(topic, partition)
            async for batch in reader.batches(topic, partition, beginning, end):
                records += batch
        return records

    return whole
