"""A migrated database, with a log in memory to read, or with topics on a real one."""

import asyncpg
import pytest

from eventlog.topic_setup import ensure_topics
from tests.fakes.log_reader import MemoryReader
from tests.integration.projections.bed import Bed
from workers.settings import Settings


@pytest.fixture
async def bed(tables):
    bed = Bed(tables, await asyncpg.connect(tables), MemoryReader())
    yield bed
    await bed.close()


@pytest.fixture
async def settings(kafka, tables, topic_prefix, tmp_path):
    await ensure_topics(kafka, topic_prefix)
    return Settings(kafka, tables, "", "default", "c", topic_prefix, "", "", tmp_path)
