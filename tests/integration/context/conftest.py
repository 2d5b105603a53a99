"""A region on a real Kafka, its read table in a real Postgres, and a projector that follows meanwhile."""

import asyncio
import contextlib
import os
import sys
from dataclasses import replace

import pytest

from eventlog.topic_setup import ensure_topics
from projections import schema
from workers.context_client import ContextClient
from workers.projecting import Projecting
from workers.projector_metrics import ProjectorMetrics
from workers.settings import Settings


@pytest.fixture
async def settings(kafka, database, topic_prefix, tmp_path):
    await ensure_topics(kafka, topic_prefix, regions=["eu", "us"])
    await schema.upgrade(database)
    return Settings(kafka, database, "", "default", "c", topic_prefix, "", "", tmp_path / "data", "eu")


@pytest.fixture
async def projector(settings):
    """It follows all topics; a test waits for what it wants to see."""
    ready = asyncio.Event()
    task = asyncio.create_task(Projecting(settings, ProjectorMetrics()).project([], [], ready.set))
    await asyncio.wait_for(ready.wait(), 20)
    yield task
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


@pytest.fixture
def elsewhere(settings, tmp_path):
    """The same deployment, seen from other machines: folders of their own."""
    return lambda name: replace(settings, data=tmp_path / name)


@pytest.fixture
def client(settings):
    """A node of eu."""
    return lambda node="eu-1", **options: ContextClient(settings, "eu", node, **options)


@pytest.fixture
def environ(settings):
    """What a command is run with."""
    return {
        **os.environ,
        "FOLKMOOT_KAFKA": settings.kafka,
        "FOLKMOOT_TOPIC_PREFIX": settings.topic_prefix,
        "FOLKMOOT_DATABASE_URL": settings.database_url,
        "FOLKMOOT_DATA": str(settings.data),
        "FOLKMOOT_REGION": "eu",
        "COLUMNS": "100",
    }


@pytest.fixture
def moot(environ):
    """Run `moot context`; its status, what it printed, and what it said on stderr."""

    async def run(*arguments, **more):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "cli.main",
            "context",
            *arguments,
            env={**environ, **more},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, said = await process.communicate()
        return process.returncode, out.decode(), said.decode()

    return run
