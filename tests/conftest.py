"""The real servers for tests: started when a test first asks, on free ports, in a temporary folder, once."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from workers.embedded import java as java_choice
from workers.embedded import ports
from workers.embedded.guard import Guard
from workers.embedded.kafka import Kafka
from workers.embedded.postgres import Postgres
from workers.embedded.server import Part
from workers.embedded.supervised import Supervised
from workers.embedded.temporal import Temporal
from workflows import names


@pytest.fixture(scope="session")
def stack_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stack")


@pytest.fixture(scope="session")
def guard() -> Iterator[Guard]:
    """Ends the servers even when pytest itself is killed."""
    guard = Guard()
    yield guard
    guard.close()


@pytest.fixture(scope="session")
def java() -> Path:
    return java_choice.choose(os.environ).path


@pytest.fixture(scope="session")
def kafka(stack_folder: Path, guard: Guard) -> Iterator[str]:
    """The bootstrap address of a real broker; tests share it, so prefix topics with `topic_prefix`."""
    listener = ports.free()
    part = Kafka(stack_folder / "kafka", listener, ports.free({listener}), os.environ, lambda *_: None)
    yield from _running(part, stack_folder, guard)


@pytest.fixture(scope="session")
def postgres_server(stack_folder: Path, guard: Guard) -> Iterator[Postgres]:
    """A real server; `url(database)` connects to it."""
    part = Postgres(stack_folder / "postgres", ports.free())
    for _ in _running(part, stack_folder, guard):
        yield part


@pytest.fixture
async def database(postgres_server: Postgres):
    """The URL of an empty database of this test's own, dropped afterwards."""
    import asyncpg

    name = f"test_{uuid.uuid4().hex[:12]}"
    own = await asyncpg.connect(postgres_server.url())
    try:
        await own.execute(f"CREATE DATABASE {name}")
        yield postgres_server.url(name)
        await own.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await own.close()


@pytest.fixture(scope="session")
def temporal(stack_folder: Path, guard: Guard) -> Iterator[str]:
    """The address of a real dev server with our search attributes; tests share it, so use ids of your own."""
    listener = ports.free()
    ui = ports.free({listener})
    attributes = {key.name: key.indexed_value_type.name.title() for key in names.SEARCH_ATTRIBUTES}
    part = Temporal(
        stack_folder / "temporal", listener, ui, ports.free({listener, ui}), attributes=attributes
    )
    yield from _running(part, stack_folder, guard)


@pytest.fixture
def topic_prefix() -> str:
    """Topics of this test's own on the shared broker."""
    return f"t{uuid.uuid4().hex[:10]}."


def _running(part: Part, folder: Path, guard: Guard) -> Iterator[str]:
    supervised = Supervised(part, folder / f"{part.name}.log", guard, os.environ, lambda *_: None)
    supervised.start()
    try:
        supervised.wait_until_ready()
        yield part.address
    finally:
        supervised.stop()
