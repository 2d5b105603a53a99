"""A namespace that Temporal does not have, and a docket where a deliberation was asked for: said by name."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import insert

from cli import consensus_run
from domain.refusal import Refusal
from projections import schema
from projections.deliberation import DELIBERATION
from projections.dockets import DOCKET
from tests.integration.workflows.test_read_model import ROW
from workers import probes, settings

AT = datetime(2026, 6, 1, tzinfo=UTC)
TABLE = {
    "stream": "docket/patients",
    "version": 2,
    "last_id": "x",
    "partition": 0,
    "first_offset": 0,
    "last_offset": 1,
    "status": "open",
    "question": "Which?",
    "topic": "general",
    "items": 3,
    "decided": 1,
    "opened_at": AT,
    "state": {},
}


@pytest.fixture
async def reader(temporal, database, monkeypatch, tmp_path):
    """Someone who types `moot consensus`, with one deliberation and one docket in the read model."""
    await schema.upgrade(database)
    engine = schema.engine(database)
    async with engine.begin() as connection:
        await connection.execute(insert(DELIBERATION), [{**ROW, "status": "open"}])
        await connection.execute(insert(DOCKET), [TABLE])
    await engine.dispose()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal)
    monkeypatch.setenv("FOLKMOOT_DATABASE_URL", database)
    monkeypatch.setenv("FOLKMOOT_KAFKA", "127.0.0.1:1")
    return monkeypatch


async def test_a_namespace_that_is_not_there_is_not_answered_for_by_the_read_model(reader, capsys):
    seen = await consensus_run.show("q")  # the negative control: with the right one it is
    assert seen.state["status"] == "open"
    reader.setenv("TEMPORAL_NAMESPACE", "absent")
    with pytest.raises(Refusal, match="TEMPORAL_NAMESPACE: there is no 'absent' on the Temporal at"):
        await consensus_run.show("q")
    with pytest.raises(Refusal, match="there is no 'absent'"):
        await probes.temporal(settings.load())
    capsys.readouterr()
    assert [row["stream"] for row in await consensus_run.listed(None, 5)] == ["consensus/q"]
    assert "is not known: TEMPORAL_NAMESPACE: there is no 'absent'" in capsys.readouterr().err


async def test_a_docket_is_named_as_one_with_the_command_that_shows_it(reader):
    with pytest.raises(Refusal, match=r"ID: patients is a docket: `moot decide --attach patients` shows it"):
        await consensus_run.show("patients")
    with pytest.raises(Refusal, match=r"ID: consensus/absent is not known; see `moot consensus list`"):
        await consensus_run.show("absent")
