"""`moot audit replay` against a real Temporal: what was written into the topic by hand does not pass."""

import asyncio
import json
import os
import sys
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest, RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy
from temporalio.service import RPCError

from domain.consensus.commands import OpenDeliberation, RecordedBallot, Voter
from domain.consensus.decide import open_deliberation
from domain.consensus.recorded import hold_rounds
from domain.consensus.state import NOT_OPENED, fold_all
from domain.stream import Draft
from eventlog.reader import LogReader
from eventlog.topic_setup import ensure_topics
from eventlog.writer import LogWriter
from projections.batch import decoded
from tests.fakes.read_model import MemoryReadModel
from workers import orchestrator, search_attributes
from workers.artifacts import FsspecArtifacts
from workflows.names import DECIDE_DOCKET, REACH_CONSENSUS, TASK_QUEUE
from workflows.payloads import CONVERTER

DEADLINE = 30.0
PATIENCE = 90.0
AT = datetime(2026, 1, 1, tzinfo=UTC)
VOTERS = [{"id": f"v{n}", "ballots": [{"choice": "a" if n < 4 else "b"}]} for n in range(5)]
ROWS = [{"item": f"i{n}", "voter": f"v{v}", "choice": "ab"[(n + v) % 2]} for n in range(3) for v in range(3)]


class Scene:
    """A namespace, a log and an artifact store of the test's own, with a worker."""

    def __init__(self, client, kafka, prefix, folder):
        self.client, self.kafka, self.prefix, self.folder = client, kafka, prefix, folder

    async def propose(self, name):
        given = {"id": name, "question": "Which?", "options": ["a", "b"], "voters": VOTERS}
        return await self._run(REACH_CONSENSUS, given, f"consensus/{name}")

    async def decide(self, name):
        return await self._run(DECIDE_DOCKET, {"id": name, "ballots": ROWS}, f"docket/{name}")

    async def _run(self, workflow, given, name):
        handle = await self.client.start_workflow(
            workflow, given, id=name, task_queue=TASK_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        )  # fmt: skip
        return await asyncio.wait_for(handle.result(), DEADLINE)

    async def write(self, events):
        async with LogWriter(self.kafka, self.prefix) as writer:
            await writer.append("decisions", events)

    async def stream(self, name):
        async with LogReader(self.kafka, self.prefix) as reader:
            return [event for _, event in decoded(await reader.stream(name))]

    async def forget(self, name):
        """What retention does in time: the history is gone."""
        execution = WorkflowExecution(workflow_id=name)
        async with asyncio.timeout(PATIENCE):
            while not await self._listed(f"WorkflowId = '{name}' AND ExecutionStatus = 'Completed'"):  # noqa: ASYNC110 # as below
                await asyncio.sleep(0.05)  # what is not closed everywhere yet is deleted minutes later
            await self.client.workflow_service.delete_workflow_execution(
                DeleteWorkflowExecutionRequest(namespace=self.client.namespace, workflow_execution=execution)
            )
            while await self._known(name):  # noqa: ASYNC110 # Temporal gives no signal to wait for
                await asyncio.sleep(0.05)

    async def _listed(self, query):
        return [run async for run in self.client.list_workflows(query)]

    async def _known(self, name):
        try:
            await self.client.get_workflow_handle(name).describe()
        except RPCError:
            return bool(await self._listed(f"WorkflowId = '{name}'"))
        return True

    async def moot(self, *words):
        environ = {k: v for k, v in os.environ.items() if not k.startswith(("FOLKMOOT_", "TEMPORAL_"))}
        environ |= {
            "FOLKMOOT_KAFKA": self.kafka,
            "FOLKMOOT_TOPIC_PREFIX": self.prefix,
            "FOLKMOOT_ARTIFACTS": str(self.folder / "artifacts"),
            "TEMPORAL_ADDRESS": self.client.service_client.config.target_host,
            "TEMPORAL_NAMESPACE": self.client.namespace,
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "cli.main", "audit", *words,
            cwd=self.folder, env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await asyncio.wait_for(process.communicate(), DEADLINE)
        return process.returncode, out.decode(), err.decode()

    async def replay(self, *words):
        status, out, err = await self.moot("replay", *words, "--json")
        assert out, err
        return status, json.loads(out)


@pytest.fixture
async def scene(temporal: str, kafka: str, topic_prefix: str, tmp_path: Path):
    await ensure_topics(kafka, topic_prefix)
    client = await namespace(temporal)
    scene = Scene(client, kafka, topic_prefix, tmp_path)
    async with LogWriter(kafka, topic_prefix) as log:
        artifacts = FsspecArtifacts(str(tmp_path / "artifacts"))
        async with orchestrator.worker(client, log, artifacts, MemoryReadModel()):
            yield scene


async def namespace(temporal):
    """A namespace of the test's own: a replay of everything must find nobody else's workflows."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    client = await Client.connect(temporal, namespace=name, data_converter=CONVERTER)
    kept = Duration(seconds=int(timedelta(days=1).total_seconds()))
    await client.workflow_service.register_namespace(
        RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=kept)
    )
    await search_attributes.register(client)
    return client


def forged(name):
    """A deliberation that agrees with itself and was never held."""
    stream = f"consensus/{name}"
    voters = tuple(Voter(voter, ballots=(RecordedBallot("yes"),)) for voter in "abc")
    draft = Draft(stream, "folkmoot/workflows", stream, str(uuid.uuid4()))
    opening = draft.events(open_deliberation(OpenDeliberation(name, "?", ("yes", "no"), voters)), AT)
    return opening + hold_rounds(fold_all(NOT_OPENED, opening), voters, draft, AT)[0]


async def test_what_workflows_wrote_agrees_with_their_histories(scene):
    await scene.propose("q")
    await scene.decide("d")
    wanted = {"--all": 5, "consensus/q": 1, "docket/d": 4, "consensus/d.1": 1}
    for words, streams in wanted.items():
        status, found = await scene.replay(words)
        assert (status, found["agrees"], found["streams_as_written"]) == (0, True, streams), words
    assert (await scene.moot("replay", "--all"))[1] == (
        "4 decisions, 1 docket and 0 models computed again from the log\n2 workflow histories replayed,"
        " which wrote 5 streams: all agree\n"
    )


async def test_what_was_written_by_hand_is_named(scene):
    await scene.write(forged("squatted")[:1])
    for name in ("squatted", "q", "gone"):
        await scene.propose(name)
    await scene.decide("d")
    extra = [
        replace(forged("q")[1], version=99),
        *(replace(event, stream="consensus/d.3") for event in forged("other")),
    ]
    await scene.write([*extra, *forged("never")])
    await scene.forget("consensus/gone")
    status, found = await scene.replay("--all")
    assert (status, found["agrees"]) == (1, False)
    foreign = {one["stream"]: one for one in found["divergent"]}
    assert {name: one["event_id"] for name, one in foreign.items()} == {
        "consensus/squatted": (await scene.stream("consensus/squatted"))[0].id,
        "consensus/q": extra[0].id,
        "consensus/d.3": extra[1].id,
    }
    assert foreign["consensus/squatted"]["problem"] == "offset 0: its workflow did not append it"
    assert [one["stream"] for one in found["without_history"]] == ["consensus/gone", "consensus/never"]
    status, out, _ = await scene.moot("replay", "--all")
    assert (status, "2 have no history to compare with, 3 diverge\n" in out) == (1, True)
    status, found = await scene.replay("consensus/never")
    assert (status, [one["stream"] for one in found["without_history"]]) == (1, ["consensus/never"])


async def test_the_log_alone_may_be_replayed_and_that_is_said(scene):
    await scene.propose("q")
    await scene.forget("consensus/q")
    status, out, _ = await scene.moot("replay", "consensus/q", "--log-only")
    assert (status, "from the log\nno history asked: all agree\n" in out) == (0, True)
    status, out, _ = await scene.moot("replay", "consensus/q")
    assert (status, out.splitlines()[0]) == (1, "consensus/q: Temporal has no history to compare with")
