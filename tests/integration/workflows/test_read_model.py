"""What the orchestrator asks of Postgres, asked of the real tables."""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import insert

from domain.consensus.reputation import contribution, standing
from projections import schema
from projections.deliberation import DELIBERATION, REPUTATION
from workers.read_model import ReadModel

AT = datetime(2026, 6, 1, tzinfo=UTC)
ROW = {
    "stream": "consensus/q",
    "version": 8,
    "last_id": "the-last",
    "partition": 0,
    "first_offset": 0,
    "last_offset": 7,
    "status": "consensus",
    "question": "Which?",
    "topic": "general",
    "consensus": "a",
    "agreement": 0.8,
    "rounds": 1,
    "opened_at": AT,
    "decided_at": AT,
    "state": {},
}
SUMS = {"topic": "general", "voter": "v", "brier": 0, "stated": 0, "rulings": 3, "equivocations": 0}


@pytest.fixture
async def tables(database):
    await schema.upgrade(database)
    engine = schema.engine(database)
    right, wrong = 2 * contribution(AT), contribution(AT)
    async with engine.begin() as connection:
        await connection.execute(insert(DELIBERATION), [ROW])
        await connection.execute(insert(REPUTATION), [{**SUMS, "right_weight": right, "wrong_weight": wrong}])
    await engine.dispose()
    return database


async def test_a_stream_is_known_by_its_last_event_or_not_at_all(tables):
    async with ReadModel(tables) as model:
        assert await model.last_event("consensus/q") == "the-last"
        assert await model.last_event("consensus/other") is None


async def test_standings_are_decayed_to_the_time_asked_for(tables):
    later = AT + timedelta(days=90)
    async with ReadModel(tables) as model:
        now = (await model.standings("general", ["v", "stranger"], AT.timestamp())).voters
        faded = (await model.standings("general", ["v"], later.timestamp())).voters
        elsewhere = (await model.standings("other topic", ["v"], AT.timestamp())).voters
    assert [*now] == ["v"]
    assert (now["v"].alpha, now["v"].beta) == pytest.approx((3.0, 2.0))
    assert (faded["v"].alpha, faded["v"].beta) == pytest.approx((2.0, 1.5))
    assert (faded["v"].alpha, faded["v"].beta) == standing(2 * contribution(AT), contribution(AT), later)
    assert elsewhere == {}


async def test_standings_say_how_far_the_log_was_counted(tables):
    places = [("decisions", 0, 12), ("decisions", 2, 7), ("deadletters", 1, 99)]
    connection = await asyncpg.connect(tables)
    try:
        await connection.executemany(
            "INSERT INTO projection_offset (projection, topic, partition, next_offset)"
            " VALUES ('consensus', $1, $2, $3)",
            places,
        )
    finally:
        await connection.close()
    async with ReadModel(tables) as model:
        assert (await model.standings("general", ["stranger"], AT.timestamp())).offsets == (12, 0, 7)


async def moot(database: str, temporal: str, *args: str) -> object:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "cli.main", "consensus", *args, "--json"),
        env={**os.environ, "FOLKMOOT_DATABASE_URL": database, "TEMPORAL_ADDRESS": temporal},
        cwd=Path(__file__).parents[3],
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return json.loads(out)


async def test_deliberations_are_listed_and_an_item_of_a_docket_is_shown(tables, temporal):
    (listed,) = await moot(tables, temporal, "list", "--status", "consensus")
    assert (listed["stream"], listed["agreement"], listed["opened_at"]) == (
        "consensus/q",
        0.8,
        AT.isoformat(),
    )
    assert await moot(tables, temporal, "list", "--status", "unresolved") == []
    assert (await moot(tables, temporal, "show", "q"))["consensus"] == "a"


async def test_a_database_that_is_down_or_empty_says_so_as_one_kind_of_error(database):
    async with ReadModel(database) as model:
        with pytest.raises(OSError, match="UndefinedTable"):
            await model.last_event("consensus/q")
    async with ReadModel("postgresql://nobody@127.0.0.1:1/none") as model:
        with pytest.raises(OSError, match=r"refused|Connect"):
            await model.last_event("consensus/q")
