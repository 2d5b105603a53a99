"""One whole stack for the quick fault tests; each leaves it running and in order."""

import json
import logging
import os
import random
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cli.docket_run import DocketRun
from tests.faults import ledger
from tests.faults.dockets import Dockets
from tests.faults.killing import Kills
from tests.faults.positions import Positions
from tests.faults.scene import Scene
from tests.faults.truth import audited
from tests.faults.whole_stack import WholeStack
from workers.artifacts import FsspecArtifacts
from workers.embedded import ports
from workers.embedded.guard import Guard
from workers.embedded.kafka import Kafka
from workers.embedded.supervised import Supervised
from workers.temporal_client import connect


@pytest.fixture(scope="session", autouse=True)
def calm() -> None:
    """Quiet aiokafka, which says each failed connection hundreds of times."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory, guard: Guard) -> Iterator[Supervised]:
    """A Kafka of one module's own, to be killed and frozen; started again whenever it dies."""
    folder, port = tmp_path_factory.mktemp("broker"), ports.free()
    part = Kafka(folder / "kafka", port, ports.free({port}), os.environ, lambda *_: None)
    broker = Supervised(part, folder / "kafka.log", guard, os.environ, lambda *_: None)
    broker.start()
    try:
        broker.wait_until_ready()
        yield broker
    finally:
        broker.stop()


@pytest.fixture(scope="package")
async def whole(tmp_path_factory: pytest.TempPathFactory):
    """The stack that the quick tests share; whatever they did to it, its audit verifies at the end."""
    stack = WholeStack(tmp_path_factory.mktemp("whole"))
    try:
        stack.start()
        yield stack
        await audited(stack)
    finally:
        stack.stop()


@pytest.fixture
def fresh(tmp_path):
    """A stack of this test's own."""
    stack = WholeStack(tmp_path)
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()


@pytest.fixture
def stack(whole):
    return whole


@pytest.fixture
async def positions(stack):
    async with Positions(stack.settings) as positions:
        yield positions


@pytest.fixture
async def client(stack):
    return await connect(stack.settings)


@pytest.fixture
async def scene(stack, client, positions):
    """The stack with work to do, and where the log ended before this test."""
    dockets = Dockets(DocketRun(client, FsspecArtifacts(stack.settings.artifacts)), items=500)
    yield Scene(stack, positions, dockets, await ledger.ends(stack.settings))
    await dockets.abandon()


@pytest.fixture
def seed() -> int:
    """FOLKMOOT_CHAOS_SEED, or a new one; it is part of every report."""
    return int(os.environ.get("FOLKMOOT_CHAOS_SEED") or secrets.randbelow(1 << 32))


@pytest.fixture
def kills(scene, seed):
    return Kills(scene.stack, scene.positions, random.Random(seed))  # noqa: S311 # moments, no secrets


@pytest.fixture
def report(request, record_property, seed) -> Callable[[dict[str, Any]], None]:
    """Tell what was measured, at the end of the run."""

    def tell(figures: dict[str, Any]) -> None:
        record_property(request.node.name, json.dumps({"seed": seed, **figures}))

    return tell
