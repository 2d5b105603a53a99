"""Runs what `moot context` asks for: a node opened for writing, a read that changes nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import asdict
from datetime import datetime
from typing import Any

from cli import output
from domain.context.events import Written, stream_of
from domain.counting import counted
from domain.refusal import Refusal
from domain.strict_json import check_text, printable
from eventlog.reader import LogReader
from workers import context_log, context_rules, log, outbox_file, settings
from workers.context_log import Told
from workers.context_node import file_of, known_node, region_of
from workers.context_putting import Writing
from workers.context_reading import Asking, Found, joined
from workers.context_reading import found as shown
from workers.node_beside import writing
from workers.settings import Settings

_SENT_WITHIN = 3.0  # seconds without progress until a command leaves what waits to the next one
_OTHERS_END_WITHIN = 10.0  # seconds that a command waits for the one before it


def write(region: str | None, node: str | None, work: Callable[[Writing], Awaitable[None]]) -> None:
    """Do `work` as a node, then wait until the log has what it wrote; what it has not by then is said."""
    found, here = _settled(region)

    async def worked() -> None:
        async with writing(found, here, node, _OTHERS_END_WITHIN) as client:
            try:
                await work(client)
            finally:
                left = await client.drained(_SENT_WITHIN)
                if left:
                    output.say(_waiting(left, client))

    asyncio.run(worked())


def found(region: str | None, node: str | None, layer: str, key: str, at: str | None) -> dict[str, Any]:
    """What the region has of a key, now or then, as JSON values."""
    check_text(key, "key")
    settled, here = _settled(region)
    if at is not None:
        moment = context_log.moment_of(at)
        if moment is None:
            raise Refusal(
                "--at", f"'{printable(at, 60)}' is no time with its offset, like 2026-11-21T12:00:00Z"
            )
        return _as_data(asyncio.run(_then(settled, here, layer, key, moment)))
    return _as_data(asyncio.run(_now(settled, here, node, layer, key)))


def history(region: str | None, layer: str, key: str) -> list[Told]:
    """Every write of a key, in the order of the region's log."""
    check_text(key, "key")
    settled, here = _settled(region)
    return asyncio.run(_told(settled, here, layer, key))


def watch(
    region: str | None, wanted: Callable[[Written], bool], show: Callable[[Told], None], limit: int | None
) -> None:
    """Show what comes to the region, until Ctrl-C or so many."""
    settled, here = _settled(region)

    async def watched() -> None:
        left = limit
        async with LogReader(settled.kafka, settled.topic_prefix) as reader:
            ready = lambda: output.say(f"watching {here}; Ctrl-C ends it")  # noqa: E731 # one line
            async with aclosing(context_log.watch(reader, here, wanted, ready)) as coming:
                async for one in coming:
                    show(one)
                    if left is not None:
                        left -= 1
                        if not left:
                            return

    asyncio.run(watched())


def _settled(region: str | None) -> tuple[Settings, str]:
    log.set_up("moot", "critical")  # the command's own line says what is wrong
    found = settings.load(needs=["kafka"])
    return found, region_of(region, found.region)


async def _now(settled: Settings, region: str, node: str | None, layer: str, key: str) -> Found:
    stream = stream_of(region, layer, key)
    known = known_node(settled.data, region, node)
    own = outbox_file.replica(file_of(settled.data, region, known), [stream]) if known else {}
    async with Asking(settled.database_url) as asking:
        projected = await asking.entries([stream], at_once=True)
        staleness = None if projected is None else await asking.staleness(region)
    if projected is None:
        output.say(f"moot: shown is what this node itself has: {asking.problem}")
    entry = joined((projected or {}).get(stream), own.get(stream))
    return shown(
        region, layer, key, entry, context_rules.rules(), staleness=staleness, projected=projected is not None
    )


async def _then(settled: Settings, region: str, layer: str, key: str, at: datetime) -> Found:
    entry = context_log.entry_at(await _told(settled, region, layer, key), at)
    now_ms = int(at.timestamp() * 1000)
    return shown(region, layer, key, entry, context_rules.rules(), now_ms=now_ms)


async def _told(settled: Settings, region: str, layer: str, key: str) -> list[Told]:
    async with Asking(settled.database_url) as asking:
        start = await asking.beginning(stream_of(region, layer, key))
    async with LogReader(settled.kafka, settled.topic_prefix) as reader:
        told, _ = await context_log.history(reader, region, layer, key, start)
    return told


def _as_data(found: Found) -> dict[str, Any]:
    data = asdict(found)
    data["resolution"] = None if found.resolution is None else found.resolution._asdict()
    return data


def _waiting(left: int, client: Writing) -> str:
    why = f" ({client.waiting_for})" if client.waiting_for else ""
    return (
        f"moot: Kafka has not taken {counted(left, 'put')} of {client.node} yet{why}: nothing is lost, and"
        " the next put or import of this node passes on what waits"
    )
