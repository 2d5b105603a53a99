"""Shared context as it flows: nodes that write, a projector and a replicator, all on this machine."""

import asyncio
import os
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

import asyncpg

from domain.context.commands import PutContext
from domain.context.events import stream_of
from eventlog.topic_setup import ensure_topics
from projections import schema
from projections.connection import connect
from workers.context_client import ContextClient
from workers.embedded.worker import moot
from workers.settings import Settings

KEYS = 20_000
TOGETHER = 500  # puts in one call
CONCURRENT = 20  # of so many calls, one is of a second node, whose writes the first one does not read
AHEAD = 20_000  # writes that may wait in an outbox
TICK = 0.02  # seconds
LOOK = 0.005  # seconds between two looks at the read table
SLOWEST = 300.0  # seconds


@dataclass(slots=True)
class Latencies:
    """Seconds from a put to its row; `pending` are streams by when their put was due."""

    pending: dict[str, float] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)

    def p99(self) -> float:
        return quantiles(self.seconds, n=100, method="inclusive")[98]


@dataclass(frozen=True, slots=True)
class Sustained:
    """`accepted` and `projected` per second; `behind`: seconds from the last answer to the last row.

    `conflicts` were found by the projector, among the `met` keys that one node wrote again after the other.
    """

    accepted: float
    projected: float
    behind: float
    conflicts: int
    met: int
    writes: int


@asynccontextmanager
async def flowing(kafka: str, database_url: str, regions: Sequence[str]) -> AsyncIterator[Settings]:
    """Regions of their own with their processes; the settings of who writes there."""
    prefix = f"b{time.time_ns():x}."
    await ensure_topics(kafka, prefix, regions=regions)
    await schema.upgrade(database_url)
    with tempfile.TemporaryDirectory(prefix="moot-bench-") as folder, ExitStack() as running:
        data = Path(folder)
        environ = os.environ | {
            "FOLKMOOT_KAFKA": kafka,
            "FOLKMOOT_TOPIC_PREFIX": prefix,
            "FOLKMOOT_DATABASE_URL": database_url,
            "FOLKMOOT_DATA": folder,
        }
        names = ["projector"] + (["replicator"] if len(regions) > 1 else [])
        for name in names:
            running.enter_context(worker(name, environ, data))
        yield Settings(kafka, database_url, "", "default", "bench", prefix, "", "", data, regions[0])


async def sustained(settings: Settings, seconds: float) -> Sustained:
    """As many puts as are taken and passed on in `seconds`, and until the last is projected."""
    connection = await asyncpg.connect(settings.database_url)
    async with ContextClient(settings, "eu", "ann") as ann, ContextClient(settings, "eu", "bob") as bob:
        began, call = time.perf_counter(), 0
        beside: set[int] = set()  # blocks of keys that bob wrote
        met: set[int] = set()  # those of them that ann wrote again, not having read what he wrote
        while time.perf_counter() - began < seconds:
            turn = call % CONCURRENT == 0
            # The other node takes the blocks in turn by itself: so it meets those that the first one writes.
            block = (call // CONCURRENT if turn else call) % (KEYS // TOGETHER)
            await (bob if turn else ann).put_many(_block(block, call))
            (beside if turn else met).update({block} if turn else {block} & beside)
            call += 1
            while ann.waiting + bob.waiting > AHEAD:  # noqa: ASYNC110 # nobody tells when it is less
                await asyncio.sleep(LOOK)
        accepted, writes = time.perf_counter() - began, call * TOGETHER
        await _until(connection, "SELECT coalesce(sum(version), 0) FROM context_entry", writes)
        projected = time.perf_counter() - began
    conflicts = await connection.fetchval("SELECT count(*) FROM context_entry WHERE standing = 'settled'")
    await connection.close()
    behind = projected - accepted
    return Sustained(writes / accepted, writes / projected, behind, conflicts, len(met) * TOGETHER, writes)


def _block(block: int, call: int) -> list[PutContext]:
    first = block * TOGETHER
    return [_put(f"ward-{first + n}", call * TOGETHER + n) for n in range(TOGETHER)]


async def latency(settings: Settings, there: str, rate: int, seconds: float) -> Latencies:
    """From a put in the first region to its row of the region `there`, at `rate` puts a second."""
    connection = await connect(settings.database_url)
    found, each = Latencies(), round(rate * TICK)
    async with ContextClient(settings, settings.region, "cat") as cat:
        for name, length in (("warm", 2.0), ("run", seconds)):
            found.seconds.clear()
            writing = asyncio.create_task(_paced(cat, found, there, (each, length, name)))
            await _seen(connection, found, writing)
            await writing
    await connection.close()
    return found


async def _paced(cat: ContextClient, found: Latencies, there: str, how: tuple[int, float, str]) -> None:
    """Every tick its puts, of which the last is looked for.

    Its time runs from when its turn was: what kept a late tick waiting counts, or a stall would hide itself.
    """
    each, seconds, name = how
    began = time.perf_counter()
    for tick in range(round(seconds / TICK)):
        due = began + tick * TICK
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        puts = [_put(f"{name}-{tick}-{n}", n) for n in range(each)]
        found.pending[stream_of(there, "immediate", puts[-1].key)] = due
        await cat.put_many(puts)


async def _seen(connection: asyncpg.Connection, found: Latencies, writing: "asyncio.Task[None]") -> None:
    until = time.monotonic() + SLOWEST
    while found.pending or not writing.done():
        rows = await connection.fetch(
            "SELECT stream FROM context_entry WHERE stream = ANY($1::text[])", [*found.pending]
        )
        now = time.perf_counter()
        found.seconds += [now - found.pending.pop(row["stream"]) for row in rows]
        if time.monotonic() > until:
            raise RuntimeError(f"{len(found.pending)} writes are not readable")
        await asyncio.sleep(LOOK)


async def _until(connection: asyncpg.Connection, query: str, wanted: int) -> None:
    until = time.monotonic() + SLOWEST
    while (at := await connection.fetchval(query)) < wanted:
        if time.monotonic() > until:
            raise RuntimeError(f"{at} of {wanted} writes are projected")
        await asyncio.sleep(0.1)


def _put(key: str, number: int) -> PutContext:
    value = {"free": number, "note": "two closed", "open": True}
    return PutContext("immediate", key, value, "ann")


@contextmanager
def worker(name: str, environ: dict[str, str], folder: Path) -> Iterator[None]:
    with (folder / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(moot("worker", name), env=environ, cwd=folder, stderr=log)
    try:
        yield
    finally:
        process.kill()
        process.wait()
