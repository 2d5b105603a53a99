"""`moot events`: the log itself, record by record."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import click

from domain.refusal import Refusal
from eventlog.topics import SEALED, TOPICS

if TYPE_CHECKING:
    from eventlog.reader import LogReader
    from eventlog.record import RawRecord

TAIL = """\b
Examples:
  moot events tail --limit 100 --json
  moot events tail --topic decisions --follow
"""
SHOW = """\b
Example:
  moot events show 01a1fd8c-697b-726d-a3ea-f7eaadef094f
"""


@click.group(short_help="Read the log: its newest events, or one by its id.")
def events() -> None:
    """Read the log itself, record by record, without the projections."""


@events.command(epilog=TAIL)
@click.option("--limit", type=click.IntRange(min=0), default=20, show_default=True, help="How many events.")
@click.option("--follow", is_flag=True, help="Then show what arrives, until Ctrl-C.")
@click.option(
    "--topic", type=click.Choice(list(TOPICS)), help="Only this topic; by default all but checkpoints."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def tail(*, limit: int, follow: bool, topic: str | None, as_json: bool) -> None:
    """Show the newest events in the order of their times, oldest first.

    Checkpoints, which follow every few events, are shown where their topic is named.
    """
    from eventlog import view

    topics = [topic] if topic else [*SEALED]
    _run(
        lambda reader: _tail(reader, topics, limit, view.as_json if as_json else view.as_text, follow=follow)
    )


@events.command(epilog=SHOW)
@click.argument("event_id")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object in one line.")
def show(*, event_id: str, as_json: bool) -> None:
    """Show the event EVENT_ID as it is stored, and where it lies."""
    import json

    from eventlog import view

    record = _run(lambda reader: reader.find(event_id))
    if record is None:
        raise Refusal("event id", f"{event_id} is on no topic of this log; see `moot events tail`")
    _say(view.as_json(record) if as_json else json.dumps(view.as_object(record), indent=2))


async def _tail(
    reader: "LogReader", topics: list[str], limit: int, shown: "Callable[[RawRecord], str]", *, follow: bool
) -> None:
    from eventlog import tail

    ends = await tail.ends(reader, topics)
    for record in await tail.newest(reader, ends, limit):
        _say(shown(record))
    if follow:
        async for record in tail.follow(reader, ends):
            _say(shown(record))


def _run(ask: "Callable[[LogReader], Coroutine[Any, Any, Any]]") -> Any:
    from eventlog.reader import LogReader
    from workers import log, settings

    log.set_up("moot", "critical")  # the command's own line says what is wrong
    found = settings.load(needs=["kafka"])

    async def asked() -> Any:
        async with LogReader(found.kafka, found.topic_prefix) as reader:
            return await ask(reader)

    return asyncio.run(asked())


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
