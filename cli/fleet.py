"""`moot fleet`: who could train, as node processes have announced it."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from cli import output
from domain.counting import counted
from domain.strict_json import printable

if TYPE_CHECKING:
    from domain.learning.fleet import Client
    from projections.fleet_queries import Known

_SHOWN = 5

EPILOG = """\b
Examples:
  moot fleet list
  moot fleet list --region eu --json | jq '.[] | select(.left_at == null) | .clients[].id'
"""


@click.group(short_help="Who could train: nodes, their clients and data.")
def fleet() -> None:
    """Show the nodes that have announced whom they train for."""


@fleet.command("list", epilog=EPILOG)
@click.option("--region", help="Only this region's.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
def list_(region: str | None, *, as_json: bool) -> None:
    """Nodes with their clients, data, conditions and trainers; those that left as well.

    Whether a node is there shows when it does not take its task: nothing is written while it merely lives.
    A client that another node announced first, and still does, stays there; it is named with that node.
    """
    from domain.learning.roster import contested

    everybody = asyncio.run(_hosts())
    elsewhere = contested(known.host for known in everybody)
    found = [known for known in everybody if region in (None, known.host.region)]
    output.emit(
        as_json, [_data(known, elsewhere) for known in found], lambda: _human(found, elsewhere, region)
    )


async def _hosts() -> list["Known"]:
    from projections.fleet_queries import FleetQueries
    from workers import settings

    async with FleetQueries(settings.load(needs=("database_url",)).database_url) as queries:
        return await queries.hosts()


def _data(known: "Known", elsewhere: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    from dataclasses import asdict

    host = known.host
    return {
        "host": host.host,
        "region": host.region,
        "version": known.version,
        "announced_at": _moment(host.announced_at),
        "left_at": _moment(host.left_at),
        "clients": [asdict(client) for client in host.clients],
        "elsewhere": dict(sorted(elsewhere.get(host.host, {}).items())),
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _human(
    found: list["Known"], elsewhere: Mapping[str, Mapping[str, str]], region: str | None = None
) -> str:
    if not found:
        where = "" if region is None else f" of the region {printable(region, 60)}"
        return f"no node{where} has announced whom it trains for; see `moot worker node --help`"
    return "\n".join(line for known in found for line in _lines(known, elsewhere.get(known.host.host, {})))


def _lines(known: "Known", elsewhere: Mapping[str, str]) -> list[str]:
    host = known.host
    state = "left" if host.left_at else "announced" if host.announced_at else "not whole yet"
    at = host.left_at or host.announced_at
    when = f" {at:%Y-%m-%d %H:%M:%S} UTC" if at else ""
    head = f"{host.host:<13} {host.region:<8} {counted(len(host.clients), 'client')}, {state}{when}"
    shown = [f"  {_client(client)}" for client in host.clients[:_SHOWN]]
    more = len(host.clients) - _SHOWN
    stay = [
        f"  {name} stays with {other}, which announced it first" for name, other in sorted(elsewhere.items())
    ]
    too = len(stay) - _SHOWN
    return [
        head,
        *shown,
        *([f"  and {more:,} more; --json has all of them"] if more > 0 else []),
        *stay[:_SHOWN],
        *([f"  and {too:,} more stay elsewhere; --json has all of them"] if too > 0 else []),
    ]


def _client(client: "Client") -> str:
    offers = [f"{o.name} {counted(o.rows, 'row')} of quality {o.quality:g}" for o in client.data]
    said = [
        "; ".join(offers) or "no data",
        f"{client.network_mbps:g} Mbit/s",
        *_says(client.charging, "charging", "not charging"),
        *_says(client.unmetered, "unmetered", "metered"),
        f"trains {', '.join(client.trainers) or 'nothing'}",
    ]
    return printable(f"{client.id}: {', '.join(said)}", 300)


def _says(held: bool | None, yes: str, no: str) -> list[str]:  # noqa: FBT001 # what a client says of itself
    return [] if held is None else [yes if held else no]
