"""A migrated database, with a log in memory to read, or with topics on a real one."""

import asyncpg
import pytest

from eventlog.topic_setup import ensure_topics
from projections import schema
from tests.fakes.log_reader import MemoryReader
from tests.integration.projections.bed import Bed
from workers.settings import Settings


@pytest.fixture
async def bed(database):
    await schema.upgrade(database)
    bed = Bed(database, await asyncpg.connect(database), MemoryReader())
    yield bed
    await bed.close()


@pytest.fixture
async def settings(kafka, database, topic_prefix, tmp_path):
    await ensure_topics(kafka, topic_prefix)
    await schema.upgrade(database)
    return Settings(kafka, database, "", "default", "c", topic_prefix, "", "", tmp_path)
