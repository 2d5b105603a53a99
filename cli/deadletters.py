"""`moot deadletters`: records that could not be applied, and what a person can do about them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import click

from cli import output
from domain.refusal import Refusal
from domain.strict_json import printable

AsJson = click.option("--json", "as_json", is_flag=True, help="One JSON value.")


@click.group(short_help="Records that could not be applied.")
def deadletters() -> None:
    """Show parked records, let their streams try again, or give one up for good."""


@deadletters.command("list", epilog="Example:  moot deadletters list --behind")
@click.option("--stream", help="Only this stream's.")
@click.option("--behind", is_flag=True, help="Also those that only wait behind another.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True)
@AsJson
def list_(stream: str | None, behind: bool, limit: int, as_json: bool) -> None:  # noqa: FBT001 # click's flags
    """Parked records, in the log's order."""
    found = asyncio.run(_list(limit, stream, behind))
    output.emit(as_json, found, lambda: _table(found))


@deadletters.command(epilog="Example:  moot deadletters show decisions.0.1234")
@click.argument("id_", metavar="ID")
@AsJson
def show(id_: str, as_json: bool) -> None:  # noqa: FBT001 # click's flag
    """One parked record: where it lies, why it is parked, how many wait behind it."""
    found = asyncio.run(_show(id_))
    output.emit(
        as_json, found, lambda: "\n".join(f"{name:<12} {_text(value)}" for name, value in found.items())
    )


@deadletters.command(epilog="Example:  moot deadletters retry decisions.0.1234")
@click.argument("id_", metavar="ID", required=False)
@click.option("--all", "everything", is_flag=True, help="Every parked stream.")
@AsJson
def retry(id_: str | None, everything: bool, as_json: bool) -> int:  # noqa: FBT001 # click's flags
    """Apply a stream's parked records in order, after the code was mended.

    Exit status 1 when some could not be applied and are parked again.
    """
    if everything == (id_ is not None):
        raise click.UsageError("name one parked record, or say --all")
    from workers import deadletters as work
    from workers.settings import load

    done = asyncio.run(work.retry(load(needs=("kafka", "database_url")), id_))
    output.emit(
        as_json, asdict(done), f"{done.applied} applied or found repeated, {done.parked} still parked"
    )
    return 1 if done.parked else 0


@deadletters.command(
    epilog='Example:  moot deadletters discard decisions.0.1234 --as "Ada" --why "written by hand"'
)
@click.argument("id_", metavar="ID")
@click.option("--as", "who", required=True, help="Who answers for it.")
@click.option("--why", required=True, help="Why; it stays on the log.")
@AsJson
def discard(id_: str, who: str, why: str, as_json: bool) -> None:  # noqa: FBT001 # click's flag
    """Give one record up: its stream goes on without it. The record itself stays on the log."""
    from workers import deadletters as work
    from workers.settings import load

    event = asyncio.run(work.discard(load(needs=("kafka", "database_url")), id_, who, why))
    output.emit(
        as_json,
        {"discarded": id_, "event": event.id},
        f"{id_} is discarded by event {event.id}; the projector lets its stream go on",
    )


async def _list(limit: int, stream: str | None, behind: bool) -> list[dict[str, Any]]:  # noqa: FBT001 # the flag, passed on
    from projections.queries import Queries
    from workers.settings import load

    async with Queries(load(needs=("database_url",)).database_url) as queries:
        return await queries.dead_letters(limit, stream=stream, behind=behind)


async def _show(letter: str) -> dict[str, Any]:
    from projections.queries import Queries
    from workers.settings import load

    async with Queries(load(needs=("database_url",)).database_url) as queries:
        found = await queries.dead_letter(letter)
    if found is None:
        raise Refusal(
            "ID", f"'{printable(letter, 60)}' is no parked record; `moot deadletters list` names them"
        )
    return found


def _table(found: Sequence[Mapping[str, Any]]) -> str:
    if not found:
        return "no record is parked"
    return "\n".join(
        f"{one['id']:<24} {one['kind']:<12} {_text(one['stream']):<32} {_text(one['reason'])}"
        for one in found
    )


def _text(value: object) -> str:
    return "-" if value is None else printable(str(value), 300)
