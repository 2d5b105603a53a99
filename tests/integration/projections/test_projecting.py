"""The projector process against real servers: what it waits for, and what ends it."""

import asyncio

import pytest

from domain.refusal import Refusal
from eventlog.topic_setup import ensure_topics
from eventlog.writer import LogWriter
from projections import engine, schema
from projections.connection import is_away
from projections.consensus import ConsensusProjection
from tests.integration.projections.bed import history, running, until
from workers.projecting import APPLICATION, Projecting
from workers.projector_metrics import ProjectorMetrics
from workers.settings import Settings

SECRET = "what nobody must read in a log"
QUESTION, ROUNDS, OPENED, STATE = 1, 8, 9, 11


@pytest.fixture
async def settings(kafka, database, topic_prefix, tmp_path):
    await ensure_topics(kafka, topic_prefix)
    await schema.upgrade(database)
    return Settings(kafka, database, "", "default", "c", topic_prefix, "", "", tmp_path)


async def write(settings, events):
    async with LogWriter(settings.kafka, settings.topic_prefix) as writer:
        await writer.append("decisions", events)


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
