"""Regions of a test's own on the shared broker, and replicators between them."""

import pytest

from eventlog.topic_setup import ensure_topics
from tests.integration.replication.bed import Regions

NAMES = ("asia", "eu", "us")


@pytest.fixture
async def regions(kafka, topic_prefix):
    await ensure_topics(kafka, topic_prefix, regions=NAMES)
    async with Regions(kafka, topic_prefix, NAMES) as regions:
        yield regions
