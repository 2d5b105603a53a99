"""What the tests of replication do: write in a region, read a region's raw topic, run replicators."""

import asyncio
import contextlib
from collections import Counter

from domain.context.layers import layers_from
from domain.context.policy import ContextPolicy
from domain.context.recording import recorded
from domain.context.replica import canonical_bytes
from domain.context.residency import Residency
from domain.context.state import fold
from eventlog.codec import decode
from eventlog.reader import LogReader
from eventlog.writer import LogWriter
from tests.unit.domain.context.given import wrote
from workers.replicating import Link, Place
from workers.replicator import replicate
from workers.replicator_metrics import ReplicatorMetrics

DEADLINE = 30.0
SOON = ContextPolicy(
    layers_from({name: {"sync_seconds": 0.1} for name in ("situational", "cultural", "historical")})
)


def write(dot, value=None, **fields):
    """As `wrote`, in the layer that is passed on at once."""
    return wrote(dot, value, **({"layer": "immediate"} | fields))


class Regions:
    """The topics of some regions in one cluster."""

    def __init__(self, kafka, prefix, names):
        self.kafka, self.prefix, self.names = kafka, prefix, names
        self._writer, self.reader = LogWriter(kafka, prefix), LogReader(kafka, prefix)

    async def __aenter__(self):
        await self._writer.__aenter__()
        await self.reader.__aenter__()
        return self

    async def __aexit__(self, *fault):
        await self._writer.__aexit__(*fault)
        await self.reader.__aexit__(*fault)

    def place(self, region):
        return Place(region, self.kafka, self.prefix)

    def links(self, *names):
        """Each of the regions to each other one; by default all."""
        places = [self.place(name) for name in names or self.names]
        return [Link(one, other) for one in places for other in places if one != other]

    async def write(self, *writes, region=None):
        """Each to the topic of the region that it was written in, or to that of `region`."""
        for one in writes:
            there = region or one.region
            await self._writer.append(f"context.{there}", [recorded(one, there, Residency())])

    async def records(self, region):
        """The raw records of a region's topic, partition by partition."""
        topic, found = f"context.{region}", []
        for partition in await self.reader.partitions(topic):
            beginning, end = await self.reader.beginning_and_end(topic, partition)
            async for batch in self.reader.batches(topic, partition, beginning, end):
                found += batch
        return found

    async def dots(self, region):
        """How often each dot lies on a region's topic."""
        return Counter(_dot(decode(record.value).data) for record in await self.records(region))

    async def state(self, region):
        """What converges, in bytes: every key of the region, as its topic folds."""
        entries = {}
        for record in await self.records(region):
            found = decode(record.value).data
            entries[found.layer, found.key] = fold(entries.get((found.layer, found.key)), found)
        return b"\n".join(canonical_bytes(entries[key]) for key in sorted(entries))

    async def has(self, region, *writes):
        """Wait until a region's topic has them."""
        wanted = {_dot(one) for one in writes}

        async def there():
            return wanted <= set(await self.dots(region))

        await until(there)


def _dot(found):
    return found.layer, found.key, found.node, found.counter


@contextlib.asynccontextmanager
async def replicating(links, policy=SOON, *, metrics=None, again=False):
    """A replicator for the length of a block, once each of its links was tried."""
    ready = asyncio.Event()
    numbers = metrics or ReplicatorMetrics()
    task = asyncio.create_task(replicate(policy, ready.set, numbers, again, links))
    waiting = asyncio.create_task(ready.wait())
    try:
        await asyncio.wait({task, waiting}, timeout=DEADLINE, return_when=asyncio.FIRST_COMPLETED)
        assert ready.is_set()
        yield numbers
        assert not task.done()
    finally:
        for one in (task, waiting):
            one.cancel()
        await asyncio.wait({task, waiting})


async def until(condition, within=DEADLINE):
    async with asyncio.timeout(within):
        while not await condition():  # noqa: ASYNC110 # Kafka gives no signal to wait for
            await asyncio.sleep(0.05)
