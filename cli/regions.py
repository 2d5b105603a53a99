"""`moot regions`: what each region has of the shared context, compared."""

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.output import emit
from domain.counting import counted
from domain.refusal import Refusal

if TYPE_CHECKING:
    from domain.context.policy import ContextPolicy
    from projections.context_hash import RegionHash
    from workers.settings import Settings

EPILOG = """\b
Examples:
  moot regions
  moot regions eu us --policy context.toml --json
"""


@click.command(short_help="Whether all regions have the same context.", epilog=EPILOG)
@click.argument("regions", nargs=-1)
@click.option(
    "--policy",
    type=click.Path(path_type=Path),
    help="What is pinned, which not every region can have: a TOML or JSON file.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def regions(regions: tuple[str, ...], policy: Path | None, *, as_json: bool) -> int:
    """Hash what each region has of the shared context, by default of all that are projected.

    Regions that received the same writes have the same hash. Exit status 1 where they differ: a write is on
    its way, or not projected yet. What is pinned to some of them is left out.
    """
    from workers import context_policy, settings

    rules = context_policy.load(policy)
    found = asyncio.run(hashes(settings.load(needs=("database_url",)), regions, rules))
    equal = len({one.digest for one in found}) <= 1
    data = {"equal": equal, "regions": {one.region: asdict(one) for one in found}}
    emit(as_json, data, lambda: _human(found, equal=equal))
    return 0 if equal else 1


async def hashes(settings: "Settings", named: tuple[str, ...], policy: "ContextPolicy") -> list["RegionHash"]:
    from projections import context_hash
    from projections.connection import connect, migrated

    connection = await connect(settings.database_url)
    try:
        # One moment for all of them.
        with migrated():
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                there = await context_hash.regions(connection)
                compared = [*dict.fromkeys(named)] or there
                missing = [region for region in compared if region not in there]
                if missing:
                    raise Refusal(
                        "region", f"{missing[0]} has no context; there is {', '.join(there) or 'none'}"
                    )
                return [
                    await context_hash.region_hash(connection, region, compared, policy.residency)
                    for region in compared
                ]
    finally:
        connection.terminate()


def _human(found: list["RegionHash"], *, equal: bool) -> str:
    if not found:
        return "no region has any context yet"
    lines = [f"{one.region:<13} {one.digest}  {counted(one.keys, 'key')}, {_writes(one)}" for one in found]
    return "\n".join([*lines, f"{'equal' if equal else 'different':<13} {_verdict(found, equal=equal)}"])


def _writes(one: "RegionHash") -> str:
    pinned = f"; {counted(one.pinned, 'pinned key')} left out" if one.pinned else ""
    return f"{counted(one.writes, 'write')}{pinned}"


def _verdict(found: list["RegionHash"], *, equal: bool) -> str:
    if len(found) == 1:
        return "there is one region only"
    if equal:
        return "all regions have the same context"
    return "writes are on their way between regions, or not projected yet: `moot status`"
