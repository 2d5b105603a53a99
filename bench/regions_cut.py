"""The run behind `bench.regions`: writes while nothing is passed on, and then until every table has them."""

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bench.context_flow import worker
from domain.context.commands import PutContext
from domain.context.events import Written
from domain.context.layers import NAMES
from domain.context.residency import Residency
from eventlog.codec import decode
from eventlog.reader import LogReader
from eventlog.topic_setup import ensure_topics
from projections import schema
from projections.context_hash import region_hash
from workers.context_client import ContextClient
from workers.settings import Settings

REGIONS = ("asia", "eu", "us")
HOUR_MS = 3_600_000
TOGETHER = 500  # puts in one call
AHEAD = 20_000  # writes that may wait in an outbox
TWICE, THRICE = 5, 10  # every 5th key is written in two regions at once, every 10th in all three
SLOWEST = 1_800.0  # seconds
LOOK = 0.2
_WRITES = "SELECT coalesce(sum(version), 0)::bigint FROM context_entry"

Dot = tuple[str, str, str, int]


@dataclass(frozen=True, slots=True)
class Topic:
    """What lies on a region's topic: its distinct writes, its records, and the bytes of their values."""

    dots: frozenset[Dot]
    records: int
    size: int


@dataclass(frozen=True, slots=True)
class Healed:
    """`before` and `after` the link came back; `seconds` from then until all was projected everywhere."""

    puts: int
    writing: float
    seconds: float
    hashing: float
    before: Mapping[str, Topic]
    after: Mapping[str, Topic]
    digests: Mapping[str, str]
    keys: Mapping[str, int]
    writes: Mapping[str, int]
    standing: Mapping[str, int]

    @property
    def unaccounted(self) -> int:
        """Writes that were answered and are not on every topic and in every table, or are more than once."""
        home = [dot for topic in self.before.values() for dot in topic.dots]
        every = frozenset(home)
        lost = abs(self.puts - len(every)) + len(home) - len(every)
        for region, topic in self.after.items():
            lost += len(every ^ topic.dots) + abs(self.writes[region] - len(every))
        return lost

    @property
    def passed_on(self) -> int:
        """Bytes of the values that were copied from region to region."""
        return sum(self.after[region].size - self.before[region].size for region in self.after)


async def healed(kafka: str, database_url: str, keys: int) -> Healed:
    """Write while nothing is passed on, then pass on until the regions' tables have everything."""
    prefix = f"b{time.time_ns():x}."
    await ensure_topics(kafka, prefix, regions=REGIONS)
    await schema.upgrade(database_url)
    connection = await asyncpg.connect(database_url)
    with tempfile.TemporaryDirectory(prefix="moot-bench-") as folder, ExitStack() as running:
        data = Path(folder)
        environ = {k: v for k, v in os.environ.items() if not k.startswith(("FOLKMOOT_", "TEMPORAL_"))} | {
            "FOLKMOOT_KAFKA": kafka,
            "FOLKMOOT_TOPIC_PREFIX": prefix,
            "FOLKMOOT_DATABASE_URL": database_url,
            "FOLKMOOT_DATA": folder,
        }
        settings = Settings(kafka, database_url, "", "default", "bench", prefix, "", "", data)
        running.enter_context(worker("projector", environ, data))
        began = time.perf_counter()
        puts = sum(await asyncio.gather(*(_write(settings, region, keys) for region in REGIONS)))
        await _until(connection, puts)
        writing = time.perf_counter() - began
        before = {region: await _topic(kafka, prefix, region) for region in REGIONS}
        began = time.perf_counter()
        running.enter_context(worker("replicator", environ, data))
        await _until(connection, puts * len(REGIONS))
        seconds = time.perf_counter() - began
        began = time.perf_counter()
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            hashes = [await region_hash(connection, region, [*REGIONS], Residency()) for region in REGIONS]
        hashing = time.perf_counter() - began
        after = {region: await _topic(kafka, prefix, region) for region in REGIONS}
    rows = await connection.fetch("SELECT standing, count(*) AS keys FROM context_entry GROUP BY standing")
    await connection.close()
    return Healed(
        puts,
        writing,
        seconds,
        hashing,
        before,
        after,
        {one.region: one.digest for one in hashes},
        {one.region: one.keys for one in hashes},
        {one.region: one.writes for one in hashes},
        {row["standing"]: row["keys"] for row in rows},
    )


def written_in(region: str, keys: int) -> Iterator[int]:
    """The numbers of the keys that this region writes while it is cut off."""
    place = REGIONS.index(region)
    for number in range(keys):
        later = (place - number) % len(REGIONS)
        if later == 0 or number % THRICE == 0 or (number % TWICE == 0 and later == 1):
            yield number


async def _write(settings: Settings, region: str, keys: int) -> int:
    """Each write at its moment of the hour, by the node's clock; how many were answered."""
    clock = _Stepped()
    start = clock.now - HOUR_MS
    numbers, answered = [*written_in(region, keys)], 0
    async with ContextClient(settings, region, f"{region}-1", clock=clock) as node:
        for first in range(0, len(numbers), TOGETHER):
            some = numbers[first : first + TOGETHER]
            clock.now = start + HOUR_MS * some[-1] // keys
            for answer in await node.put_many([_put(number, region) for number in some]):
                answered += getattr(answer, "success", False)
            while node.waiting > AHEAD:  # noqa: ASYNC110 # nobody tells when it is less
                await asyncio.sleep(LOOK)
        await node.drained(SLOWEST)
    return answered


class _Stepped:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = time.time_ns() // 1_000_000

    def __call__(self) -> int:
        return self.now


def _put(number: int, region: str) -> PutContext:
    value = {"free": number, "note": "two closed", region: True}
    return PutContext(NAMES[number % len(NAMES)], f"ward-{number}", value, "ann")


async def _topic(kafka: str, prefix: str, region: str) -> Topic:
    dots, records, size, topic = set[Dot](), 0, 0, f"context.{region}"
    async with LogReader(kafka, prefix) as reader:
        for partition in await reader.partitions(topic):
            beginning, end = await reader.beginning_and_end(topic, partition)
            async for batch in reader.batches(topic, partition, beginning, end):
                for record in batch:
                    write = decode(record.value).data
                    if isinstance(write, Written):
                        dots.add((write.layer, write.key, write.node, write.counter))
                        records, size = records + 1, size + len(record.value)
    return Topic(frozenset(dots), records, size)


async def _until(connection: "asyncpg.Connection[asyncpg.Record]", wanted: int) -> None:
    until = time.monotonic() + SLOWEST
    while (at := await connection.fetchval(_WRITES)) < wanted:
        if time.monotonic() > until:
            raise RuntimeError(f"{at:,} of {wanted:,} writes are projected")
        await asyncio.sleep(LOOK)
