"""Kill -9 of the process that projects and reacts, in a storm: no case is opened twice and none is lost."""

import asyncio
import json
import os
import random
import signal
import sys
from contextlib import asynccontextmanager

import pytest
from pydantic_core import to_jsonable_python
from temporalio.client import Client

from eventlog.topic_setup import ensure_topics
from eventlog.writer import LogWriter
from projections.reaction_queries import ReactionQueries
from tests.fakes.artifacts import MemoryArtifacts
from tests.integration.reaction.conftest import DEADLINE, Bed, nothing_runs
from tests.integration.reaction.storm import Storm, most_at_once, reaction
from workers import orchestrator
from workers.read_model import ReadModel
from workers.settings import Settings
from workers.shared_context import SharedContext
from workflows import names
from workflows.payloads import CONVERTER

BOUND = 5


class Projector:
    """`moot worker projector` as a process of its own, which reacts too."""

    def __init__(self, settings, policy):
        self._environ = {
            **os.environ,
            "FOLKMOOT_KAFKA": settings.kafka,
            "FOLKMOOT_TOPIC_PREFIX": settings.topic_prefix,
            "FOLKMOOT_DATABASE_URL": settings.database_url,
            "FOLKMOOT_DATA": str(settings.data),
            "FOLKMOOT_CONFLICT_POLICY": str(policy),
            "TEMPORAL_ADDRESS": settings.temporal_address,
        }
        self.log = settings.data / "projector.log"
        self._process = None

    async def start(self):
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "cli.main", "worker", "projector", "--no-sealing"),
                env=self._environ,
                stderr=log,
            )

    async def kill(self):
        assert self._process.returncode is None, self.log.read_text()[-2_000:]
        self._process.send_signal(signal.SIGKILL)
        await self._process.wait()


@pytest.fixture
async def scene(kafka, topic_prefix, tables, temporal, tmp_path):
    await ensure_topics(kafka, topic_prefix, regions=["eu"])
    settings = Settings(kafka, tables, temporal, "default", "c", topic_prefix, "", "", tmp_path, "eu")
    policy = tmp_path / "conflict.json"
    policy.write_text(json.dumps(to_jsonable_python(reaction(BOUND))))
    client = await Client.connect(temporal, data_converter=CONVERTER)
    await nothing_runs(client)  # it would be worked on here: the projector names this queue
    projector = Projector(settings, policy)
    async with (
        LogWriter(kafka, topic_prefix) as writer,
        ReactionQueries(tables) as looks,
        ReadModel(tables) as model,
        SharedContext(settings) as context,
        orchestrator.worker(client, writer, MemoryArtifacts(), model, context=context),
    ):
        await projector.start()
        yield Bed(settings, client, writer, looks, names.TASK_QUEUE), projector
        await projector.kill()


@asynccontextmanager
async def writing(storm, bed):
    """The storm comes while the processes die."""
    task = asyncio.create_task(storm.write(bed, together=40))
    yield
    await task


async def survive(scene, count, kills, chance):
    bed, projector = scene
    storm = Storm.of(count)

    async def closed():
        return (await bed.rows("SELECT count(closed_at) FROM conflict_case"))[0][0]

    async with writing(storm, bed):
        for number in range(kills):
            before = await closed()

            async def moved(before=before):
                return await closed() > before

            await bed.until(moved)
            await asyncio.sleep(chance.uniform(0, 0.5))  # no condition to wait for: any moment will do
            await projector.kill()
            await projector.start()
            assert before < count, f"the storm was over before kill {number + 1}"

    async def ended():
        runs = await storm.runs(bed.client)
        return len(runs) >= count and all(ended for _, _, ended in runs) and await closed() >= count

    await bed.until(ended, within=DEADLINE + 2 * count)
    cases = await bed.cases()
    assert sorted(stream for stream, _, _ in cases) == storm.cases
    assert {status for _, status, _ in cases} == {"resolved"}
    runs = await storm.runs(bed.client)
    assert sorted(case for case, _, _ in runs) == storm.cases
    assert await bed.rows("SELECT kind, reason FROM dead_letter") == []
    return most_at_once(runs)


async def test_kills_in_a_storm_lose_no_case_and_open_none_twice(scene, record_property):
    most = await survive(scene, 30, 3, random.Random(3))  # noqa: S311 # the same moments again
    record_property("workflows of cases open at once, through 3 kills", most)


@pytest.mark.chaos
@pytest.mark.timeout(3_600)
async def test_forty_kills_in_a_storm_lose_no_case_and_open_none_twice(scene, record_property):
    most = await survive(scene, 600, 40, random.Random(40))  # noqa: S311 # the same moments again
    record_property("workflows of cases open at once, through 40 kills", most)
