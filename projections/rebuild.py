"""Projections again from the log's first record, beside the live tables, and swapped in at one stroke."""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from domain.refusal import Refusal
from eventlog.reader import LogReader
from eventlog.topics import family_of
from projections import shadow
from projections.fence import Connection, Position, check_rules, take_over
from projections.filling import Filling, Orders, Second
from projections.in_memory import Place, discards
from projections.projection import Projection, owned_tables
from projections.registry import BY_NAME, UNROUTED, rules_of
from projections.shadow import Shadow, TakenTwice
from projections.state_hash import Hashed, StoredRows, first_difference, state_hash
from projections.tables import DEAD_LETTER

SMALL = 5_000  # records that may be left to read while the projectors are held off
ATTEMPTS = 5
NEVER = 1 << 62

_LOCK = 0x666F6C6C  # any number that is always the same: one rebuild at a time
_ENDS = """
SELECT topic, partition, next_offset FROM projection_offset WHERE projection = ANY($1::text[])
ORDER BY topic <> 'deadletters', topic, partition, projection
"""

Progress = Callable[[int, int], None]


class _Again(Exception):
    """Somebody discarded a record while the log was read without that knowledge."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What was done: records read, and in how many seconds."""

    projections: tuple[str, ...]
    events: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Verified:
    """What live tables hold against what the log says; `difference` names the first row that differs."""

    projection: str
    live: Hashed
    log: Hashed
    difference: str | None


class Rebuild:
    """One rebuild of `projections`; `live` and `beside` are two connections, its own, to one database."""

    def __init__(
        self,
        reader: LogReader,
        live: Connection,
        beside: Connection,
        projections: Sequence[Projection],
        *,
        progress: Progress = lambda *_: None,
        second: Second | None = None,
    ) -> None:
        self._reader, self._live, self._beside, self._progress = reader, live, beside, progress
        self._second = second
        self._projections = projections
        self._names = tuple(sorted(projection.name for projection in projections))
        self._tables = [table for p in projections for table in owned_tables(p)] + [DEAD_LETTER]

    async def rebuild(self) -> Rebuilt:
        """Build, catch up, hold the projectors off for the last records, swap.

        Whatever fails leaves the live tables as they are.

        Raises:
            Refusal: another rebuild is at work, or a reader does not let go of the live tables.
            eventlog.record.RetentionLost: the log does not reach back to its first record.
        """
        began = time.monotonic()
        async with self._alone() as schema:
            for trusting in (True, False, False, False, False):
                tables = Shadow(self._beside, self._tables, schema)
                await tables.create()
                try:
                    events = await self._build_and_swap(tables, schema, 0 if trusting else NEVER)
                except (_Again, TakenTwice, asyncpg.UniqueViolationError):
                    continue
                finally:
                    await tables.drop()
                return Rebuilt(self._names, events, time.monotonic() - began)
        raise Refusal("rebuild", "records are discarded all the time; try again when that is done")

    async def verify(self) -> list[Verified]:
        """Build beside and compare; the live tables stay, and their projector goes on meanwhile.

        Raises:
            Refusal: another rebuild is at work, or the live rows were made by other rules than ours.
        """
        async with self._alone() as schema, self._live.transaction(isolation="repeatable_read"):
            await check_rules(self._live, rules_of(self._names))
            for trusting in (True, False):
                ends = await self._ends()
                tables = Shadow(self._beside, self._tables, schema)
                await tables.create()
                try:
                    filling = await self._filling(tables, ends, 0 if trusting else NEVER, schema)
                    await filling.fill(self._of_ours(ends))
                    await tables.finish()
                    return [await self._compared(projection, schema) for projection in self._projections]
                except (TakenTwice, asyncpg.UniqueViolationError):
                    continue
                finally:
                    await tables.drop()
        raise AssertionError("a build that trusts nothing inserts no stream twice")

    async def _build_and_swap(self, tables: Shadow, schema: str, trusted_from: int) -> int:
        ends = await self._ends()
        filling = await self._filling(tables, ends, trusted_from, schema)
        while filling.left(self._of_ours(ends)) > 0:
            await filling.fill(self._of_ours(ends))
            ends = await self._ends()
            if filling.left(self._of_ours(ends)) <= SMALL:
                break
        await tables.finish()
        for _ in range(ATTEMPTS):
            try:
                async with self._live.transaction():
                    await self._last_stretch(filling, tables, schema)
            except asyncpg.LockNotAvailableError:
                continue
            return filling.read
        raise Refusal("rebuild", "a reader does not let go of the live tables; they stay as they were")

    async def _last_stretch(self, filling: Filling, tables: Shadow, schema: str) -> None:
        await self._live.execute("SET LOCAL lock_timeout = '3s'")
        ends = await self._ends(hold=True)
        if await discards(self._reader, ends) != filling.orders.given_up:
            raise _Again
        await filling.fill(self._of_ours(ends))
        await tables.finish()
        await shadow.swap(self._live, self._tables, schema, self._names)
        for (topic, partition), end in self._of_ours(ends).items():
            await self._take_over(topic, partition, end)

    async def _filling(
        self, tables: Shadow, ends: Mapping[Place, int], trusted_from: int, schema: str
    ) -> Filling:
        orders = Orders(self._names, await discards(self._reader, ends), trusted_from, schema)
        return Filling(self._reader, tables, orders, self._progress, self._second)

    async def _ends(self, *, hold: bool = False) -> dict[Place, int]:
        """How far each place is projected; `hold` keeps it there until the transaction ends."""
        ends: dict[Place, int] = {}
        # In this order everybody takes these locks: `deadletters` first, as its projector does.
        for row in await self._live.fetch(_ENDS + (" FOR UPDATE" if hold else ""), [*BY_NAME]):
            place = row["topic"], row["partition"]
            ends[place] = max(ends.get(place, 0), row["next_offset"])
        for place, end in ends.items():
            # A log that was set back is rebuilt as far as it goes now.
            ends[place] = min(end, (await self._reader.beginning_and_end(*place))[1])
        return ends

    async def _take_over(self, topic: str, partition: int, end: int) -> None:
        batches = self._reader.batches(topic, partition, max(end - 1, 0), end)
        leaf = next((record.leaf for record in [r async for batch in batches for r in batch]), None)
        ours = Position(topic, partition, end, dict.fromkeys(self._names, 0), last_leaf=leaf)
        others = [name for name in BY_NAME if name not in self._names]
        await take_over(self._live, ours, others, rules_of(self._names))

    def _of_ours(self, ends: Mapping[Place, int]) -> dict[Place, int]:
        if UNROUTED in self._projections:
            return dict(ends)
        topics = {projection.topic for projection in self._projections}
        return {place: end for place, end in ends.items() if family_of(place[0]) in topics}

    async def _compared(self, projection: Projection, schema: str) -> Verified:
        stored = StoredRows(self._live, schema)
        async with self._beside.transaction(isolation="repeatable_read"):
            built = StoredRows(self._beside, shadow.SCHEMA)
            live, log = await state_hash(stored, projection), await state_hash(built, projection)
            same = live.digest == log.digest
            difference = None if same else await first_difference(stored, built, projection)
        return Verified(projection.name, live, log, difference)

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[str]:
        """Nobody else rebuilds; gives the schema of the live tables."""
        if not await self._live.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
            raise Refusal("rebuild", "another rebuild is at work on this database; wait for it to end")
        try:
            yield await self._live.fetchval("SELECT current_schema()")
        finally:
            await self._live.fetchval("SELECT pg_advisory_unlock($1)", _LOCK)
