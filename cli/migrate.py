"""`moot migrate`: topics, tables and search attributes."""

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from cli import output

if TYPE_CHECKING:
    from workers.migrate import Migrated

EPILOG = """\b
Examples:
  moot migrate                    what is missing is made, what is there stays
  moot migrate --replication 3    new topics on three brokers
  moot migrate --region eu --region us   two regions that share context
"""


@click.command(short_help="Make topics, tables and search attributes.", epilog=EPILOG)
@click.option(
    "--replication",
    type=click.IntRange(1, 9),
    default=1,
    show_default=True,
    help="Brokers that keep each topic made now.",
)
@click.option(
    "--region", "regions", multiple=True, metavar="NAME", help="A region of the shared context; repeat it."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def migrate(replication: int, regions: tuple[str, ...], as_json: bool) -> None:  # noqa: FBT001 # click's flag
    """Bring Kafka, Postgres and Temporal up to date. Safe to repeat."""
    from workers import log
    from workers import migrate as work
    from workers.settings import load

    log.set_up("migrate", "warning")
    done = asyncio.run(work.migrate(load(), replication, regions))
    output.emit(as_json, asdict(done), lambda: _human(done))


def _human(done: "Migrated") -> str:
    tables = (
        f"at revision {done.tables_to} already"
        if done.tables_from == done.tables_to
        else f"from revision {done.tables_from or 'none'} to {done.tables_to}"
    )
    attributes = ", ".join(done.search_attributes) or "all there already"
    if done.by_hand:
        attributes = (
            "this Temporal takes none from us: add with its own tool, if they are not there yet, "
            + ", ".join(done.by_hand)
        )
    return "\n".join(
        [
            f"topics             {', '.join(done.topics) or 'all there already'}",
            f"tables             {tables}",
            f"search attributes  {attributes}",
        ]
    )
