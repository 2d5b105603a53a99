"""`moot learn schedule`: what starts a model's cycle again and again."""

import asyncio
from dataclasses import asdict
from typing import Any

import click

from domain.refusal import Refusal
from domain.strict_json import printable

EXAMPLES = """\b
Examples:
  moot learn start weekly.json --every 7d
  moot learn schedule digits
  moot learn schedule digits --pause "the fleet is away"
  moot learn schedule digits --resume
  moot learn schedule digits --delete
"""


@click.command(epilog=EXAMPLES, short_help="A model's schedule: show, pause, resume, delete.")
@click.argument("model")
@click.option("--pause", metavar="WHY", help="Start nothing until it is resumed.")
@click.option("--resume", is_flag=True, help="Go on with the cadence.")
@click.option("--delete", is_flag=True, help="End it; a cycle that runs goes on.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def schedule(*, model: str, pause: str | None, resume: bool, delete: bool, as_json: bool) -> None:
    """Show what starts the cycle of MODEL again and again, or pause, resume or delete it."""
    if (pause is not None) + resume + delete > 1:
        raise click.UsageError("one of --pause, --resume and --delete at a time")
    from cli import output

    found = asyncio.run(_asked(model, pause, resume=resume, delete=delete))
    output.emit(as_json, found, lambda: _text(found))


async def _asked(model: str, pause: str | None, *, resume: bool, delete: bool) -> dict[str, Any]:
    from workers import schedules
    from workers.settings import load
    from workers.temporal_client import connect

    schedules.schedule_id(model)
    client = await connect(load(needs=["temporal_address"]))
    if delete:
        await schedules.unschedule(client, model)
        return {"model": model, "deleted": True}
    if pause is not None:
        await schedules.pause(client, model, pause)
    elif resume:
        await schedules.resume(client, model, "")
    found = await schedules.describe(client, model)
    if found is None:
        raise Refusal("MODEL", f"{model} has no schedule; `moot learn start FILE --every 7d` makes it")
    told = asdict(found)
    return told | {"every_seconds": told.pop("every").total_seconds(), "deleted": False}


def _text(found: dict[str, Any]) -> str:
    from cli.learn_view import written

    if found["deleted"]:
        return f"the schedule of {found['model']} is deleted"
    cadence = f"{found['model']}: every {written(found['every_seconds'])}, {found['started']:,} started"
    if found["paused"]:
        return f"{cadence}, paused: {printable(found['note'], 200) or 'no reason was given'}"
    return f"{cadence}, next at {found['next_at']}"
