"""`moot learn budget`: what each data subject has spent of its privacy budget."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import click

from cli import output
from domain.counting import counted
from domain.refusal import Refusal
from domain.strict_json import printable

EPILOG = """\b
Examples:
  moot learn budget
  moot learn budget default --subject ward-3 --json
"""


@click.command(short_help="What was spent of privacy budgets.", epilog=EPILOG)
@click.argument("ledger", required=False)
@click.option("--subject", help="Only this data subject; it needs a LEDGER.")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help="Subjects shown."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object, or a list of them.")
def budget(ledger: str | None, subject: str | None, limit: int, *, as_json: bool) -> None:
    """The privacy ledgers, or one LEDGER and those of its subjects that have spent most.

    A subject that has taken part in nothing has spent nothing and is not listed.
    """
    if subject is not None and ledger is None:
        raise click.UsageError("--subject needs a LEDGER")
    if ledger is None:
        ledgers = asyncio.run(_ledgers())
        output.emit(as_json, ledgers, lambda: _table(ledgers))
        return
    found = asyncio.run(_ledger(ledger, subject, limit))
    output.emit(as_json, found, lambda: _human(found))


async def _ledgers() -> list[dict[str, Any]]:
    from projections.budget_queries import BudgetQueries
    from workers.settings import load

    async with BudgetQueries(load(needs=("database_url",)).database_url) as queries:
        return await queries.ledgers()


async def _ledger(ledger: str, subject: str | None, limit: int) -> dict[str, Any]:
    from projections.budget_queries import BudgetQueries
    from workers.settings import load

    async with BudgetQueries(load(needs=("database_url",)).database_url) as queries:
        found = await queries.ledgers(ledger)
        if not found:
            name = printable(ledger, 60)
            raise Refusal("LEDGER", f"'{name}' was never charged; `moot learn budget` lists those that were")
        spent = await queries.subjects(ledger, subject, limit)
    if subject is not None and not spent:
        spent = [{"subject": printable(subject, 128), "epsilon": 0.0, "releases": 0}]
    budget_of = found[0]["budget"]
    return found[0] | {"spent": [one | {"left": max(0.0, budget_of - one["epsilon"])} for one in spent]}


def _table(ledgers: Sequence[Mapping[str, Any]]) -> str:
    if not ledgers:
        return "nothing was charged to any privacy budget yet"
    head = (
        f"{'ledger':<24} {'budget':>8} {'delta':>8} {'most spent':>11} {'subjects':>9} {'charges':>8} refused"
    )
    return "\n".join([head, *(_line(one) for one in ledgers)])


def _line(one: Mapping[str, Any]) -> str:
    return (
        f"{one['ledger']:<24} {one['budget']:>8g} {one['delta']:>8g} {one['largest']:>11.4g}"
        f" {one['subjects']:>9} {one['charges']:>8} {one['refusals']}"
    )


def _human(found: Mapping[str, Any]) -> str:
    charged = f"{counted(found['charges'], 'charge')} granted, {found['refusals']} refused"
    lines = [
        f"{found['ledger']}: each subject may spend epsilon {found['budget']:g} at delta {found['delta']:g}",
        f"{charged}; {counted(found['subjects'], 'subject')}",
        f"{'subject':<40} {'spent':>10} {'left':>10} releases",
    ]
    rows = [
        f"{one['subject']:<40} {one['epsilon']:>10.4g} {one['left']:>10.4g} {one['releases']}"
        for one in found["spent"]
    ]
    return "\n".join(lines + rows)
