"""The real servers for tests: started when a test first asks, on free ports, in a temporary folder, once."""

import os
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from projections import schema
from workers.embedded import java as java_choice
from workers.embedded import ports
from workers.embedded.guard import Guard
from workers.embedded.kafka import Kafka
from workers.embedded.postgres import Postgres
from workers.embedded.server import Launch, Part
from workers.embedded.supervised import Supervised
from workers.embedded.temporal import Temporal
from workflows import names

Databases = Callable[..., AbstractAsyncContextManager[str]]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Deal tests out by files; a folder that is a package stays together, for its tests share a stack."""
    from xdist.scheduler import LoadFileScheduling

    class ByFile(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            folder = (config.rootpath / file).parent
            return str(folder) if (folder / "__init__.py").exists() else file

    return ByFile(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what tests measured, which the processes that ran them cannot."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in report.user_properties if report.when == "call" else ():
            terminalreporter.write_line(f"{name}: {value}")


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
async def postgres_server(stack_folder: Path, guard: Guard) -> AsyncIterator[Postgres]:
    """A real server; `url(database)` connects to it.

    It leaves writing to the disk to the system, which makes and drops a database in a tenth of the time:
    only what outlives a crash of the whole machine depends on that, and no test has one.
    """
    part = Postgres(stack_folder / "postgres", ports.free())
    for _ in _running(part, stack_folder, guard):
        await _execute(part, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
        yield part


@pytest.fixture(scope="session")
def databases(postgres_server: Postgres) -> Databases:
    """Makes a database, empty or a copy of another one, and drops it at the end of the block; its URL."""

    @asynccontextmanager
    async def made(copied_from: str = "") -> AsyncIterator[str]:
        name, template = f"test_{uuid.uuid4().hex[:12]}", copied_from.rpartition("/")[2] or "template1"
        await _execute(postgres_server, f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield postgres_server.url(name)
        finally:
            await _execute(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")

    return made


@pytest.fixture(scope="session")
async def migrated(databases: Databases) -> AsyncIterator[str]:
    """The URL of a database with our tables, to be copied: that is quicker than every migration again."""
    async with databases() as url:
        await schema.upgrade(url)
        yield url


@pytest.fixture
async def database(databases: Databases) -> AsyncIterator[str]:
    """The URL of an empty database of this test's own."""
    async with databases() as url:
        yield url


@pytest.fixture
async def tables(databases: Databases, migrated: str) -> AsyncIterator[str]:
    """The URL of a database of this test's own with our tables, which are empty."""
    async with databases(migrated) as url:
        yield url


async def _execute(server: Postgres, *statements: str) -> None:
    own = await asyncpg.connect(server.url())
    try:
        for statement in statements:
            await own.execute(statement)
    finally:
        await own.close()


class Forgetful(Temporal):
    """Deletes a workflow within a second; by default it waits half a minute for its own book-keeping."""

    def prepare(self) -> Launch:
        launch = super().prepare()
        soon = 'history.transferProcessorUpdateAckInterval="1s"'
        return replace(launch, command=[*launch.command, "--dynamic-config-value", soon])


@pytest.fixture(scope="session")
def temporal(stack_folder: Path, guard: Guard) -> Iterator[str]:
    """The address of a real dev server with our search attributes; tests share it, so use ids of your own."""
    listener = ports.free()
    ui = ports.free({listener})
    attributes = {key.name: key.indexed_value_type.name.title() for key in names.SEARCH_ATTRIBUTES}
    part = Forgetful(
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
