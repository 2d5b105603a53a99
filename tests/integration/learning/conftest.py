"""A fleet of in-process hosts over the real broker and server: digits, dealt out to clients."""

import asyncio
import os
import sys
import uuid
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from temporalio.client import Client

from activities.learning import Control
from activities.privacy import accountant, plain
from activities.privacy.registry import Methods
from activities.training import Host
from audit.announcements import Announcements
from audit.grounds import Grounds
from domain.learning import tensor_file
from domain.learning.announcing import parts_of
from domain.learning.state import NO_CYCLE, fold_all
from domain.stream import Draft, fleet_stream
from eventlog.codec import decode
from eventlog.reader import LogReader
from eventlog.topic_setup import ensure_topics
from eventlog.writer import LogWriter
from tests.fakes.journal import MemoryJournal
from tests.fakes.learning import Clients, Rows, Versions, candidate, data_of
from tests.fakes.read_model import MemoryReadModel
from workers import node, orchestrator
from workers.artifacts import FsspecArtifacts
from workers.trainers import InstalledTrainers
from workflows.names import RUN_LEARNING_CYCLE, learning_stream
from workflows.payloads import CONVERTER

DEADLINE = 60.0
ROOT = Path(__file__).parents[3]
SETTINGS = {"features": 64, "classes": 10}


def digits():
    """1,797 small pictures of digits (8 x 8), scaled to 0 to 1."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return (x / 16).astype(np.float32), y.astype(np.int64)


@dataclass
class Fleet:
    """`clients` of `hosts`, each with rows of its own; the last 297 rows are the holdout."""

    client: Client
    log: Any
    artifacts: FsspecArtifacts
    kafka: tuple[str, str]
    clients: int = 10
    hosts: int = 2
    methods: Any = None
    versions: Versions = field(default_factory=Versions)
    name: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    roster: Clients = field(default_factory=Clients)
    journals: dict[str, MemoryJournal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.trainers = InstalledTrainers()
        self.methods = self.methods or (lambda _journal: Methods([plain.installed()]))
        x, y = digits()
        self.holdout = {"x": x[1500:], "y": y[1500:]}
        self.rows = {
            f"c{n:03}": Rows({"x": x[n : 1500 : self.clients], "y": y[n : 1500 : self.clients]})
            for n in range(self.clients)
        }
        self.roster.there = [
            candidate(name, self.host(n), trainers=self.trainers.names()) for n, name in enumerate(self.rows)
        ]

    def host(self, n: int) -> str:
        return f"h{n % self.hosts}-{self.name}"

    def orchestrating(self, **more):
        control = Control(
            self.artifacts, self.trainers, self.methods(MemoryJournal()), self.roster, self.versions
        )
        return orchestrator.worker(
            self.client,
            self.log,
            self.artifacts,
            MemoryReadModel(),
            control=control,
            task_queue=f"folkmoot-{self.name}",
            **more,
        )

    def hosting(self, n: int):
        journal = self.journals.setdefault(self.host(n), MemoryJournal())
        made = Host(data_of(self.rows), self.trainers, self.artifacts, journal, self.methods(journal))
        return node.worker(self.client, self.host(n), host=made)

    async def request(self, **more):
        ref = await self.artifacts.put(tensor_file.encode(self.holdout))
        return {
            "id": f"digits-{uuid.uuid4().hex[:8]}",
            "model": f"digits-{self.name}",
            "trainer": {"name": "logistic-regression", "settings": SETTINGS},
            "rounds": 3,
            "cohort": {"share": 1, "minimum": 4, "size": 8},
            "local": {"learning_rate": 0.5, "seconds": 20},
            "holdout": {"uri": ref.uri, "sha256": ref.sha256, "bytes": ref.bytes},
            "seed": 7,
            **more,
        }

    async def announce(self):
        """What hosts would have said, before the roster could have them: an audit looks for it."""
        for host in sorted({one.host for one in self.roster.there}):
            clients = [one.client for one in self.roster.there if one.host == host]
            stream, said = fleet_stream(host), parts_of(host, "eu", clients, lambda _: 1, 100)
            draft = Draft(stream, "test", stream, "run")
            await self.log.append("fleet", draft.events(said, datetime.now(UTC)))

    def grounds(self, reader):
        """What an audit of its cycles rests on."""
        return Grounds(self.artifacts, accountant.epsilon, Announcements(reader))

    async def stream(self, cycle):
        """The cycle's events on Kafka, folded on the way: what they could not be is found."""
        async with LogReader(*self.kafka) as reader:
            found = [decode(record.value) for record in await reader.stream(learning_stream(cycle))]
        fold_all(NO_CYCLE, found)
        return found

    async def start(self, request, **options):
        return await self.client.start_workflow(
            RUN_LEARNING_CYCLE,
            request,
            id=options.pop("id", learning_stream(request["id"])),
            task_queue=f"folkmoot-{self.name}",
            **options,
        )

    async def run(self, request, **options):
        return await asyncio.wait_for((await self.start(request, **options)).result(), DEADLINE)


@pytest.fixture(scope="session")
async def client(temporal: str) -> Client:
    return await Client.connect(temporal, data_converter=CONVERTER)


@pytest.fixture
async def fleet(client, kafka, topic_prefix, tmp_path):
    """Makes a fleet whose workers run."""
    await ensure_topics(kafka, topic_prefix)
    async with AsyncExitStack() as held:
        log = await held.enter_async_context(LogWriter(kafka, topic_prefix))

        async def made(*, working=True, **more) -> Fleet:
            fleet = Fleet(
                client, log, FsspecArtifacts(str(tmp_path / "artifacts")), (kafka, topic_prefix), **more
            )
            if working:
                await held.enter_async_context(fleet.orchestrating())
                for n in range(fleet.hosts):
                    await held.enter_async_context(fleet.hosting(n))
            return fleet

        yield made


@pytest.fixture
def starting(kafka, topic_prefix, temporal, tmp_path):
    """Starts processes of a fleet, which do not outlive the block."""

    @asynccontextmanager
    async def start(fleet, role):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.integration.learning.process",
            str(role),
            fleet.name,
            temporal,
            kafka,
            topic_prefix,
            str(tmp_path / "artifacts"),
            str(fleet.clients),
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            assert await asyncio.wait_for(process.stdout.readline(), DEADLINE) == b"ready\n"
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    return start
