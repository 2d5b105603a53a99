"""A worker as production puts it together, on a queue of the test's own, over a log in memory."""

import asyncio
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle

from domain.event import Event
from tests.fakes.artifacts import MemoryArtifacts
from tests.fakes.event_log import MemoryLog
from tests.fakes.read_model import MemoryReadModel
from tests.integration.workflows.processes import stack
from workers import node, orchestrator
from workflows.names import REACH_CONSENSUS, consensus_stream
from workflows.payloads import CONVERTER

__all__ = ["stack"]  # the fixture of the tests that run processes

DEADLINE = 20.0


@dataclass
class Moot:
    """A running system; `id` makes an id of the test's own, for the server is shared."""

    client: Client
    log: MemoryLog = field(default_factory=MemoryLog)
    model: MemoryReadModel = field(default_factory=MemoryReadModel)
    queue: str = field(default_factory=lambda: f"folkmoot-{uuid.uuid4().hex[:8]}")
    mediator: Any = None

    def id(self, name: str = "q") -> str:
        return f"{name}-{uuid.uuid4().hex[:8]}"

    def working(self, **options):
        artifacts = MemoryArtifacts()
        return orchestrator.worker(
            self.client,
            self.log,
            artifacts,
            self.model,
            self.mediator,
            task_queue=self.queue,
            **options,
        )

    def thinking(self, name: str, reasoner: Any = None):
        return node.worker(self.client, name, reasoner)

    async def start(self, proposal: dict[str, Any], **options) -> WorkflowHandle:
        workflow = options.pop("id", consensus_stream(proposal["id"]))
        return await self.client.start_workflow(
            REACH_CONSENSUS, proposal, id=workflow, task_queue=self.queue, **options
        )

    async def decide(self, proposal: dict[str, Any], **options) -> dict[str, Any]:
        return await asyncio.wait_for((await self.start(proposal, **options)).result(), DEADLINE)

    def stream(self, deliberation: str) -> list[Event]:
        return self.log.stream(consensus_stream(deliberation))

    async def until(self, handle: WorkflowHandle, **wanted) -> dict[str, Any]:
        """The state, once it has these values; ends with AssertionError after the deadline."""
        state: dict[str, Any] = {}
        try:
            async with asyncio.timeout(DEADLINE):
                while any(state.get(name) != value for name, value in wanted.items()):
                    state = await handle.query("state")
        except TimeoutError:
            raise AssertionError(f"{wanted} never came; the state is {state}") from None
        return state


@pytest.fixture(scope="session")
async def client(temporal: str) -> Client:
    return await Client.connect(temporal, data_converter=CONVERTER)


@pytest.fixture
async def moot(client: Client):
    moot = Moot(client)
    async with moot.working():
        yield moot


@pytest.fixture
def proposal(moot: Moot):
    """Five recorded ballots, four of them alike."""
    voters = [{"id": f"v{n}", "ballots": [{"choice": "a" if n < 4 else "b"}]} for n in range(5)]
    return {"id": moot.id(), "question": "Which?", "options": ["a", "b"], "voters": voters}


@pytest.fixture
def alone(client: Client):
    """A Moot whose worker the test starts itself."""

    @asynccontextmanager
    async def start(**options):
        moot = Moot(client)
        async with moot.working(**options):
            yield moot

    return start
