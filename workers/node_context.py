"""The shared context of a node process: its outbox is drained, and who writes beside it is answered."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog
from temporalio.common import MetricMeter

from workers.away import Away, why
from workers.context_client import ContextClient
from workers.context_node import file_of
from workers.deciding import Rules
from workers.node_door import door
from workers.settings import Settings

_log = structlog.get_logger(__name__)

_LOOK_EVERY = 1.0  # seconds between two looks at what waits


@asynccontextmanager
async def kept(
    settings: Settings, region: str, node: str, rules: Rules, meter: MetricMeter
) -> AsyncIterator[None]:
    """Have the node's outbox open as long as the block lasts, from when it can be.

    Another process may have it for a moment, its region may not exist yet, the disk may be full: that is said
    once, and tried again. Meanwhile inquiries are answered.
    """
    task = asyncio.create_task(_keep(settings, region, node, rules, meter))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _keep(settings: Settings, region: str, node: str, rules: Rules, meter: MetricMeter) -> None:
    away, file = Away(), file_of(settings.data, region, node)
    meter = meter.with_additional_attributes({"region": region, "node": node})
    # Without it the other gauges stay at what they were last, and nothing tells that they do.
    opened = meter.create_gauge("context_outbox_open", "1 while this process has the outbox, else 0.", "1")
    opened.set(0)
    while True:
        try:
            async with ContextClient(settings, region, node, rules=rules) as client, door(client, file):
                away.back("outbox")
                _log.info("node.context_open", waiting=client.waiting)
                opened.set(1)
                await _measure(client, meter)
        except Exception as error:  # noqa: BLE001 # a fault of the context must not end the node's reasoning
            opened.set(0)
            away.left("outbox", why(error))
            await away.wait("outbox")


async def _measure(client: ContextClient, meter: MetricMeter) -> None:
    depth = meter.create_gauge("context_outbox_depth", "Writes that are not on the log yet.", "1")
    oldest = meter.create_gauge_float("context_outbox_age", "Seconds since the oldest of them.", "s")
    while True:
        depth.set(client.waiting)
        oldest.set(await client.waiting_seconds())
        await asyncio.sleep(_LOOK_EVERY)
