"""Regions, their read tables, a projector, a worker on a queue of the test's own, and a reactor."""

import asyncio
import contextlib
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from temporalio.client import Client
from temporalio.service import RPCError

from domain.conflict.policy import ConflictPolicy
from domain.conflict.reaction import Reaction
from domain.consensus.commands import RecordedBallot, Voter
from domain.context.recording import recorded
from domain.context.residency import Residency
from eventlog.topic_setup import ensure_topics
from eventlog.writer import LogWriter
from projections import schema
from projections.reaction_queries import ReactionQueries
from tests.fakes.artifacts import MemoryArtifacts
from tests.integration.projections.bed import running
from workers import case_runs, orchestrator
from workers.projecting import Projecting
from workers.projector_metrics import ProjectorMetrics
from workers.reacting import Reactor
from workers.read_model import ReadModel
from workers.settings import Settings
from workers.shared_context import SharedContext
from workflows.payloads import CONVERTER

DEADLINE = 60.0
REGIONS = ("asia", "eu", "us")
SOON = ConflictPolicy(
    local_appeal_seconds=0,
    regional_appeal_seconds=0,
    global_appeal_seconds=0,
    annulment_seconds=0,
    weighting="equal",
)


def member(number, choice="eu-1-1"):
    """Members of three regions, each with a ballot for the write of eu-1."""
    return Voter(f"m{number:02}", region=REGIONS[number % 3], ballots=(RecordedBallot(choice),))


@dataclass
class Bed:
    settings: Settings
    client: Client
    writer: LogWriter
    tables: ReactionQueries
    queue: str

    def reactor(self, gone=None, **fields):
        fields = {"members": tuple(member(number) for number in range(45)), "policy": SOON} | fields
        return Reactor(
            self.settings,
            Reaction(**fields),
            client=self.client,
            task_queue=self.queue,
            every=0.05,
            gone=gone,
        )

    async def write(self, *writes, regions=REGIONS):
        """Each write to every region's topic, as replication leaves them there."""
        for region in regions:
            events = [recorded(one, region, Residency()) for one in writes]
            await self.writer.append(f"context.{region}", events)

    @asynccontextmanager
    async def reacting(self, reactor=None, **fields):
        stop = asyncio.Event()
        reactor = reactor or self.reactor(**fields)
        async with running(reactor.run(stop)):
            yield reactor
            stop.set()

    async def rows(self, sql, *arguments):
        return [tuple(row) for row in await self.tables._rows(sql, *arguments)]  # our own look

    async def cases(self, status=None):
        return await self.rows(
            "SELECT stream, status, dots FROM conflict_case WHERE $1::text IS NULL OR status = $1", status
        )

    async def until(self, condition, within=DEADLINE):
        async with asyncio.timeout(within):
            while not await condition():  # noqa: ASYNC110 # a database gives no signal to wait for
                await asyncio.sleep(0.05)


async def nothing_runs(client):
    """End what an earlier test's worker left halfway: a reactor counts whatever runs on its Temporal."""
    async with asyncio.timeout(DEADLINE):
        while ended := [case async for case in case_runs.running(client)]:  # listed a moment late
            for case in ended:
                with contextlib.suppress(RPCError):  # ended since
                    await client.get_workflow_handle(case).terminate("an earlier test's")
            await asyncio.sleep(0.05)


@pytest.fixture
async def settings(kafka, database, temporal, topic_prefix, tmp_path):
    await ensure_topics(kafka, topic_prefix, regions=REGIONS)
    await schema.upgrade(database)
    return Settings(kafka, database, temporal, "default", "c", topic_prefix, "", "", tmp_path, "eu")


@pytest.fixture
async def bed(settings, temporal):
    client = await Client.connect(temporal, data_converter=CONVERTER)
    await nothing_runs(client)
    queue = f"folkmoot-{uuid.uuid4().hex[:8]}"
    ready = asyncio.Event()
    projecting = Projecting(settings, ProjectorMetrics()).project([], [], ready.set)
    async with (
        LogWriter(settings.kafka, settings.topic_prefix) as writer,
        ReactionQueries(settings.database_url) as tables,
        ReadModel(settings.database_url) as model,
        SharedContext(settings) as context,
        running(projecting),
    ):
        await asyncio.wait_for(ready.wait(), DEADLINE)
        async with orchestrator.worker(
            client, writer, MemoryArtifacts(), model, context=context, task_queue=queue
        ):
            yield Bed(settings, client, writer, tables, queue)
