"""Privacy ledgers in a real Postgres: what each subject has spent, once, and the command that shows it."""

import asyncio
import json
from datetime import UTC, datetime

from click.testing import CliRunner

from cli.main import moot
from domain.learning.budget.events import BudgetCharged, BudgetOpened, BudgetRefused, Overspent, Spent
from domain.learning.mechanism import Mechanism
from domain.stream import Draft
from projections.budget_queries import BudgetQueries

AT = datetime(2026, 11, 22, tzinfo=UTC)
COST = Mechanism(4.0, 1.0, 2)
LEDGER = (
    BudgetOpened("wards", 1.0, 1e-5),
    BudgetCharged("r1", "d1", COST, (Spent(("ada",), 1, 0.0, 0.25), Spent(("ben",), 2, 0.0, 0.5))),
    BudgetCharged("r2", "d2", COST, (Spent(("ada",), 1, 0.25, 0.375),)),
    BudgetRefused("r3", "d3", COST, 2, 1, (Overspent("ben", 1.25),), 0.5),
)


def told(*data):
    return Draft("budget/wards", "test", "budget/wards", "run").events(data, AT)


async def test_spending_is_projected_once_however_often_it_is_delivered(bed, tables):
    bed.log.append(told(*LEDGER), "learning")
    await bed.project("learning")
    bed.log.append(told(*LEDGER), "learning")
    await bed.project("learning")
    async with BudgetQueries(tables) as queries:
        (ledger,) = await queries.ledgers()
        subjects = await queries.subjects("wards")
    assert (ledger["charges"], ledger["refusals"], ledger["largest"], ledger["subjects"]) == (2, 1, 0.5, 2)
    assert subjects == [
        {"subject": "ben", "epsilon": 0.5, "releases": 2},
        {"subject": "ada", "epsilon": 0.375, "releases": 4},
    ]
    assert await bed.differences() == []
    rebuild = await bed.rebuilding()
    await rebuild.rebuild()
    spent = await bed.rows("budget_subject", "subject, spent")
    assert spent == [("ada", 375_000_000), ("ben", 500_000_000)]


async def test_the_command_shows_who_has_how_much_left(bed, tables, monkeypatch):
    bed.log.append(told(*LEDGER), "learning")
    await bed.project("learning")
    monkeypatch.setenv("FOLKMOOT_DATABASE_URL", tables)

    async def shown(*arguments):
        return await asyncio.to_thread(CliRunner().invoke, moot, ["learn", "budget", *arguments])

    one = json.loads((await shown("wards", "--subject", "ada", "--json")).output)
    assert one["spent"] == [{"subject": "ada", "epsilon": 0.375, "releases": 4, "left": 0.625}]
    table = (await shown("wards")).output
    assert "each subject may spend epsilon 1 at delta 1e-05" in table
    assert [line.split()[0] for line in table.splitlines()[3:]] == ["ben", "ada"]
    assert (await shown()).output.splitlines()[1].split() == ["wards", "1", "1e-05", "0.5", "2", "2", "1"]
    assert "'other' was never charged" in str((await shown("other")).exception)
    nobody = json.loads((await shown("wards", "--subject", "cleo", "--json")).output)
    assert nobody["spent"] == [{"subject": "cleo", "epsilon": 0.0, "releases": 0, "left": 1.0}]
