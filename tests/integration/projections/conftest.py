"""A migrated database, and a log in memory that projectors and rebuilds read."""

import asyncpg
import pytest

from projections import schema
from tests.fakes.log_reader import MemoryReader
from tests.integration.projections.bed import Bed


@pytest.fixture
async def bed(database):
    await schema.upgrade(database)
    bed = Bed(database, await asyncpg.connect(database), MemoryReader())
    yield bed
    await bed.close()
