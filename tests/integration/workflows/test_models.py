"""Versions of a model over a real Temporal and a real Kafka: tried on nodes, promoted, taken back."""

import asyncio
import subprocess
import sys
import uuid
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError
from temporalio.worker import Worker

from activities.evaluating import Evaluating
from activities.learning_ports import Version
from activities.training import Host
from domain.learning.fleet import Candidate, DataOffer
from domain.learning.fleet import Client as FleetClient
from domain.learning.policy import DataSelector, TrainerSpec
from domain.learning.versions import commands as c
from domain.learning.versions.commands import PublishVersion
from domain.learning.versions.policy import DriftPolicy, EvaluateOn
from domain.learning.versions.state import NO_MODEL, fold_all, version_for
from domain.refusal import Refusal
from eventlog.codec import decode
from eventlog.reader import LogReader
from eventlog.topic_setup import ensure_topics
from eventlog.writer import LogWriter
from tests.fakes.artifacts import MemoryArtifacts
from tests.fakes.means import MeanRows, Means
from tests.fakes.read_model import MemoryReadModel
from workers import absent, orchestrator
from workers.models import TemporalModels
from workers.replaying import replayer
from workflows import names
from workflows.model_answers import KeepModelRequest, ObservedAnswer
from workflows.refusals import Refusals

DEADLINE = 30.0
ON = EvaluateOn(TrainerSpec("mean"), DataSelector("digits"))


class Roster:
    def __init__(self, hosts):
        self._hosts = hosts

    async def candidates(self):
        offers = (DataOffer("digits", 4),)
        return [Candidate(FleetClient(f"c-{host}", offers, ("mean",)), host, "eu") for host in self._hosts]


def clients_of(hosts):
    def named(client):
        if client not in {f"c-{host}" for host in hosts}:
            raise Refusal("client", "is not here")
        return MeanRows(1, 1, 1, 1)

    return named


@dataclass
class Bed:
    client: Client
    models: TemporalModels
    artifacts: MemoryArtifacts
    kafka: str
    prefix: str
    queue: str
    model: str
    working: object

    async def publish(self, cycle, at, parent=None, canary=0.0):
        content = save({"at": np.array([at], np.float32)})
        ref = await self.artifacts.put(content)
        told = PublishVersion(
            cycle, ref, ref.sha256, parent, 4, ref, 0.5, None, canary, 0.05, 7, evaluation=ON
        )
        return await self.models.publish(self.model, told)

    async def tell(self, update, command, answer=None):
        return await self.models.tell(self.model, update, command, answer)

    async def events(self):
        async with LogReader(self.kafka, self.prefix) as reader:
            return [decode(record.value) for record in await reader.stream(names.model_stream(self.model))]

    async def until_judged(self):
        async with asyncio.timeout(DEADLINE):
            while (await self.models.serving(self.model)).canary is not None:
                pass


@pytest.fixture
async def bed(client: Client, kafka: str, topic_prefix: str):
    await ensure_topics(kafka, topic_prefix)
    hosts, queue = [f"h{n}-{uuid.uuid4().hex[:6]}" for n in range(3)], f"folkmoot-{uuid.uuid4().hex[:8]}"
    artifacts = MemoryArtifacts()
    async with LogWriter(kafka, topic_prefix) as log:

        @asynccontextmanager
        async def working():
            evaluating = Evaluating(Host(clients_of(hosts), Means(), artifacts, None, None))
            nodes = [
                Worker(
                    client,
                    task_queue=names.node_queue(host),
                    activities=[evaluating.evaluate_version],
                    interceptors=[Refusals()],
                )
                for host in hosts
            ]
            control = replace(absent.control(artifacts, TemporalModels(client, queue)), roster=Roster(hosts))
            working = orchestrator.worker(
                client, log, artifacts, MemoryReadModel(), control=control, task_queue=queue
            )
            async with working, nodes[0], nodes[1], nodes[2]:
                yield

        models = TemporalModels(client, queue)
        name = f"digits-{uuid.uuid4().hex[:8]}"
        yield Bed(client, models, artifacts, kafka, topic_prefix, queue, name, working)
        with suppress(RPCError):  # a test has ended it
            await client.get_workflow_handle(names.model_stream(name)).terminate("the test is over")


def kinds(events):
    return [event.type.split(".")[1] for event in events]


async def test_versions_are_published_once_tried_on_nodes_and_taken_back_by_policy_or_person(bed):
    async with bed.working():
        with pytest.raises(Refusal, match="has no v1"):
            await bed.models.version(bed.model, "v1.0")
        assert await bed.models.version(bed.model) is None
        first = await bed.publish("c1", at=1.5)
        assert first == await bed.publish("c1", at=1.5)
        assert (first.name, await bed.models.version(bed.model)) == ("v1.0", first)

        good = await bed.publish("c2", at=1.1, parent="v1.0", canary=1.0)
        await bed.until_judged()
        assert (await bed.models.version(bed.model)).name == good.name == "v1.1"

        bad = await bed.publish("c3", at=float("nan"), parent="v1.1", canary=0.5)
        await bed.until_judged()
        assert (bad.name, (await bed.models.version(bed.model)).name) == ("v1.2", "v1.1")
        events = await bed.events()
    assert kinds(events) == [
        *("version_published", "promoted"),
        *("version_published", "canary_started", "canary_evaluated", "promoted"),
        *("version_published", "canary_started", "canary_evaluated", "rolled_back"),
    ]
    assert len(events[4].data.results) == 3


async def test_a_canary_that_is_worse_is_rolled_back_by_the_policy_and_a_person_can_go_back_further(bed):
    async with bed.working():
        await bed.publish("c1", at=1.5)
        await bed.publish("c2", at=1.1, parent="v1.0")
        await bed.publish("c3", at=9.0, parent="v1.1", canary=0.5)
        await bed.until_judged()
        serving = await bed.models.serving(bed.model)
        assert (serving.active.name, serving.former) == ("v1.1", ("v1.0",))
        back = c.RollBack("the field says so", "ann")
        (event,) = await bed.tell(names.ROLL_BACK, back)
        assert await bed.tell(names.ROLL_BACK, back) == []
        with pytest.raises(Refusal, match=r"^to: v1\.1 has not served before v1\.0; promote it instead$"):
            await bed.tell(names.ROLL_BACK, c.RollBack("no", "ann", "v1.1"))
        events = await bed.events()
    assert kinds(events)[-3:] == ["canary_evaluated", "rolled_back", "rolled_back"]
    policy, person = events[-2].data, events[-1].data
    assert (policy.authority, policy.version) == ("policy", "v1.2")
    assert (person.authority, person.by, person.reason, person.to) == ("person", "ann", back.reason, "v1.0")
    assert events[-1].id == event
    state = fold_all(NO_MODEL, events)
    assert [version_for(state, "any")] == ["v1.0"]


async def test_a_kill_of_the_worker_and_a_new_history_keep_the_numbers(bed):
    stream = names.model_stream(bed.model)
    handle = await bed.client.start_workflow(
        names.KEEP_MODEL,
        KeepModelRequest(bed.model, updates=2),
        id=stream,
        task_queue=bed.queue,
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
    )
    async with bed.working():
        await bed.publish("c1", at=1.0)
    async with bed.working():  # another worker, that has nothing cached
        for number in range(2, 6):
            version = await bed.publish(f"c{number}", at=float(number), parent=f"v1.{number - 2}")
            assert version.name == f"v1.{number - 1}"
        events = await bed.events()
        again = await bed.publish("c1", at=1.0)
        runs = [run.run_id async for run in bed.client.list_workflows(f"WorkflowId = '{stream}'")]
    assert again == Version("v1.0", again.model, again.digest, 0.5)
    assert [event.version for event in events] == list(range(1, 11))
    assert len({event.run_id for event in events}) >= 2
    assert runs
    history = await bed.client.get_workflow_handle(
        stream, run_id=handle.first_execution_run_id
    ).fetch_history()
    await replayer().replay_workflow(history)


async def test_a_keeper_that_was_ended_is_told_from_a_model_without_versions(bed):
    back = c.RollBack("the field says so", "ann")
    async with bed.working():
        with pytest.raises(Refusal, match=r"has no versions yet; a cycle publishes them$"):
            await bed.tell(names.ROLL_BACK, back)
        await bed.publish("c1", at=1.5)
        await bed.client.get_workflow_handle(names.model_stream(bed.model)).terminate()
        with pytest.raises(Refusal, match=r"was ended; `temporal workflow reset .* lets it go on"):
            await bed.tell(names.ROLL_BACK, back)


async def test_a_keeper_that_was_ended_is_not_begun_anew_and_goes_on_after_a_reset(bed):
    stream = names.model_stream(bed.model)
    async with bed.working():
        await bed.publish("c1", at=1.5)
        await bed.client.get_workflow_handle(stream).terminate()
        with pytest.raises(Refusal, match=rf"^model: {stream} was ended"):
            await bed.publish("c2", at=1.0, parent="v1.0")
        await asyncio.to_thread(reset, bed.client, stream)
        assert (await bed.publish("c2", at=1.0, parent="v1.0")).name == "v1.1"


def reset(client, stream):
    """As the refusal says; the command of this environment."""
    command = Path(sys.executable).with_name("temporal")
    where = ["--address", client.service_client.config.target_host]
    told = ["--workflow-id", stream, "--type", "LastWorkflowTask", "--reason", "it was a mistake"]
    subprocess.run([command, "workflow", "reset", *where, *told], check=True, capture_output=True)


async def test_losses_that_rise_are_a_drift_which_rolls_back_and_a_repeat_writes_nothing(bed):
    async with bed.working():
        await bed.publish("c1", at=1.0)
        await bed.publish("c2", at=1.0, parent="v1.0")
        said = c.SetDriftPolicy(DriftPolicy("roll_back"), "agreed", "ann")
        await bed.tell(names.SET_DRIFT_POLICY, said)
        calm = c.Observe("week-1", (0.9,) * 300 + (0.1,) * 300)
        seen = await bed.tell(names.OBSERVE, calm, ObservedAnswer)
        assert (len(seen.events), seen.drift, seen.unlooked) == (1, None, None)
        worse = c.Observe("week-2", (0.8,) * 300)
        await bed.tell(names.SET_DRIFT_POLICY, c.SetDriftPolicy(DriftPolicy("say"), "wait and see", "ann"))
        assert (await bed.tell(names.OBSERVE, worse, ObservedAnswer)).drift.then == "say"
        more = await bed.tell(names.OBSERVE, c.Observe("week-3", (0.8,) * 300), ObservedAnswer)
        assert more.drift is None  # a drift is said once
        await bed.tell(names.SET_DRIFT_POLICY, said)
        worse = c.Observe("week-4", (1.5,) * 300)
        drift = (await bed.tell(names.OBSERVE, worse, ObservedAnswer)).drift
        again = await bed.tell(names.OBSERVE, worse, ObservedAnswer)
        serving = await bed.models.serving(bed.model)
    assert drift.after > drift.before
    assert (again.events, again.drift) == ((), None)
    assert (serving.active.name, serving.drifts) == ("v1.0", 2)
