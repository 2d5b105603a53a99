"""The projector process against real servers: what it waits for, and what ends it."""

import asyncio
from urllib.parse import urlsplit

import asyncpg
import pytest
from structlog.testing import capture_logs

from domain.refusal import Refusal
from projections import engine
from projections.connection import is_away
from projections.consensus import ConsensusProjection
from tests.integration.projections.bed import history, running, until, write
from workers import lookout
from workers.projecting import APPLICATION, Projecting
from workers.projector_metrics import ProjectorMetrics

SECRET = "what nobody must read in a log"
QUESTION, ROUNDS, OPENED, STATE = 1, 8, 9, 11


UNSTORABLE = {
    "a number beyond its column": (ROUNDS, 2**31),
    "a null character": (QUESTION, f"{SECRET}\0"),
    "a lone surrogate": (QUESTION, f"{SECRET}\ud800"),
    "a value of another type": (OPENED, SECRET),
    "no JSON": (STATE, SECRET),
    "JSON that is nested too deeply": (STATE, "[" * 100_000 + "]" * 100_000),
    "a missing value": (QUESTION, None),
}


@pytest.mark.parametrize("kind", UNSTORABLE)
async def test_a_row_that_no_table_can_hold_ends_the_projector_with_one_line(settings, monkeypatch, kind):
    place, value = UNSTORABLE[kind]
    row = ConsensusProjection.row

    def bad(state):
        values = row(state)
        return (*values[:place], value, *values[place + 1 :])

    monkeypatch.setattr(ConsensusProjection, "row", staticmethod(bad))
    await write(settings, history("a"))
    projecting = Projecting(settings, ProjectorMetrics()).project(["decisions"], [], lambda: None)
    with pytest.raises(Refusal, match=r"decisions/\d cannot be projected from offset 0 on: \w+") as refused:
        await asyncio.wait_for(projecting, 20)
    said = str(refused.value)
    assert said.isprintable()
    assert SECRET not in said


async def test_a_fault_of_the_code_ends_the_projector_with_one_line(settings, monkeypatch):
    monkeypatch.setattr(engine, "REMEMBERED", SECRET)
    projecting = Projecting(settings, ProjectorMetrics()).project(["decisions"], [], lambda: None)
    await write(settings, history("a"))
    with pytest.raises(Refusal, match=r"TypeError at \w+\.py:\d+") as refused:
        await asyncio.wait_for(projecting, 20)
    assert SECRET not in str(refused.value)


async def test_a_database_that_ends_its_sessions_is_waited_for(settings, bed):
    metrics = ProjectorMetrics()
    async with running(Projecting(settings, metrics).project(["decisions"], [], lambda: None)):
        await write(settings, history("a"))
        await until(lambda: _is_projected(bed, "a"), "the first is projected")
        await bed.connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", APPLICATION
        )
        await write(settings, history("b"))
        await until(lambda: _is_projected(bed, "b"), "the second is projected on another connection")


async def test_an_idle_projector_says_once_that_the_database_went_and_once_that_it_is_back(
    settings, tables, postgres_server, monkeypatch
):
    monkeypatch.setattr(lookout, "LOOK_EVERY", 0.05)
    metrics, name = ProjectorMetrics(), urlsplit(tables).path[1:]
    server = await asyncpg.connect(postgres_server.url())

    def said():
        return [line["event"] for line in lines if line.get("server") == "postgres"]

    async def heard(*wanted):
        return said() == [*wanted] and _gauge(metrics, "folkmoot_projector_refused") == expected

    with capture_logs() as lines:
        async with running(Projecting(settings, metrics).project(["decisions"], [], lambda: None)):
            expected = 0.0
            await until(heard, "it looks")
            expected = None
            await server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            await server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
            )
            await until(lambda: heard("server.away"), "it says that Postgres went")
            expected = 0.0
            await server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
            await until(lambda: heard("server.away", "server.back"), "it says that Postgres is back")
    server.terminate()


async def test_what_is_refused_and_what_is_sealed_no_more_has_a_metric(settings, bed, monkeypatch):
    monkeypatch.setattr(lookout, "LOOK_EVERY", 0.05)
    metrics = ProjectorMetrics()
    async with running(Projecting(settings, metrics).project(["decisions"], [], lambda: None)):
        await until(lambda: _shows(metrics, 0.0, 0.0), "nothing stands still")
        await bed.connection.execute("UPDATE projection_offset SET refused = 'set back' WHERE partition = 0")
        await bed.connection.execute("INSERT INTO sealing_stopped VALUES ('decisions', 0, 'split', now())")
        await until(lambda: _shows(metrics, 1.0, 1.0), "both are seen")
        await bed.connection.execute("UPDATE projection_offset SET refused = NULL")
        await until(lambda: _shows(metrics, 0.0, 1.0), "one is put right")


async def _shows(metrics, refused, stopped):
    names = "folkmoot_projector_refused", "folkmoot_sealing_stopped"
    return [_gauge(metrics, name) for name in names] == [refused, stopped]


def _gauge(metrics, name):
    """The value of partition 0; None where it is not a number."""
    value = metrics.registry.get_sample_value(name, {"topic": "decisions", "partition": "0"})
    return None if value is None or value != value else value  # noqa: PLR0124 # only NaN is not itself


async def _is_projected(bed, name):
    return (await bed.versions()).get(f"consensus/{name}") == 6


@pytest.mark.parametrize(
    ("statement", "away"),
    [
        ("SELECT 1 / 0", False),
        ("SELECT nothing", False),
        ("SELECT pg_terminate_backend(pg_backend_pid())", True),
        ("SET LOCAL statement_timeout = 1; SELECT pg_sleep(10)", True),
        ("SET TRANSACTION READ ONLY; CREATE TABLE x (y int)", True),
    ],
)
async def test_what_passes_by_itself_is_told_from_what_comes_again(bed, statement, away):
    with pytest.raises(Exception) as raised:  # noqa: PT011 # of whatever type: how it is told is the test
        async with bed.connection.transaction():
            await bed.connection.execute(statement)
    assert is_away(raised.value) is away
