"""The projector of one topic partition: what the log says goes into the tables, behind the fence."""

import time
from collections.abc import Sequence
from typing import Protocol

import asyncpg

from eventlog.reader import LogReader
from eventlog.record import LastRead, RetentionLost
from projections import bulk, fence
from projections.batch import Folded
from projections.deadletters import Discard
from projections.fence import Connection, Position
from projections.folding import PartitionFold
from projections.handover import Bounds, Handover
from projections.past import LogPast
from projections.pipeline import Pipeline, Stretch
from projections.projection import Projection, by_category
from projections.registry import PROJECTIONS, UNROUTED, rules_of, standing_on
from projections.resume import discards_of, parked_streams, resume_discarded
from projections.states import States, Stream

BOUNDS = Bounds(worth_rows=5_000, worth_events=20_000, most_rows=10_000, most_events=50_000, pause=0.01)
REMEMBERED = 5_000  # streams under way, of each partition; some 4 KB each, and twice as many at most


class Observer(Protocol):
    """Who is told where a partition stands, and of each committed batch."""

    def standing(self, topic: str, partition: int, next_offset: int) -> None:
        """The partition is taken up at this offset."""
        ...

    def applied(self, topic: str, partition: int, folded: Folded, seconds: float) -> None:
        """`seconds` is what the transaction took."""
        ...


class TakenForNew(Exception):
    """A stream that seemed to begin in a batch has a row: fold the batch again with the stored state."""


class PartitionProjector:
    """Brings the read tables of one topic partition up to the log; `connection` is its own."""

    def __init__(
        self, reader: LogReader, connection: Connection, topic: str, partition: int, observer: Observer
    ) -> None:
        self._reader, self._connection, self._observer = reader, connection, observer
        self._topic, self._partition = topic, partition

    async def follow(self, end: int | None = None) -> None:
        """Apply everything up to the offset `end`; without one, whatever comes until it is cancelled.

        Raises:
            projections.fence.FenceLost: somebody else moved; call it again to go on from there.
            eventlog.record.RetentionLost: the log no longer holds what is wanted.
            eventlog.record.LogReplaced: it holds something else where the last record was.
            OSError, asyncpg.PostgresError: a server is away.
        """
        await bulk.prepare(self._connection, self._topic)
        trusted_from = 0
        while True:
            position, fold = await self._take_stock()
            self._observer.standing(self._topic, self._partition, position.next_offset)
            if end is not None and position.next_offset >= end:
                return
            stop = min((o for o in (end, position.until) if o is not None), default=None)
            place = self._topic, self._partition
            stretch = Stretch(*place, position.next_offset, stop, trusted_from, after=position.last_leaf)
            tables = FencedTables(self._connection, self._reader, position, self._observer)
            try:
                await self._look_again(position)
                await Pipeline(self._reader, stretch, fold, tables, Handover(BOUNDS)).run()
            except TakenForNew:
                trusted_from = tables.attempted
            except RetentionLost as lost:
                await fence.refuse(self._connection, position, str(lost))
                raise

    async def _look_again(self, at: Position) -> None:
        """See whether the log is the right one again, where it was not before."""
        if at.refused is None:
            return
        beginning, end = await self._reader.beginning_and_end(at.topic, at.partition)
        if end < at.next_offset:
            raise RetentionLost(at.topic, at.partition, at.next_offset, beginning, end)
        if at.last_leaf is not None:
            last = LastRead(at.next_offset - 1, at.last_leaf)
            batches = self._reader.batches(at.topic, at.partition, last.offset, at.next_offset)
            last.past([record async for batch in batches for record in batch])
        await fence.refuse(self._connection, at, None)

    async def _take_stock(self) -> tuple[Position, PartitionFold]:
        topic, partition, names = self._topic, self._partition, standing_on(self._topic)
        partitions = len(await self._reader.partitions(topic))
        await fence.enter_topic(self._connection, topic, names, partitions)
        await fence.enter(self._connection, topic, partition, names)
        rules = rules_of(names)
        await fence.state_rules(self._connection, topic, partition, rules)
        async with self._connection.transaction(isolation="repeatable_read"):
            await fence.check_rules(self._connection, rules)
            at = await fence.position(self._connection, topic, partition, names)
            parked = await parked_streams(self._connection, topic, partition, names)
            discarded = await discards_of(self._connection, topic, partition)
        fold = PartitionFold(
            by_category(PROJECTIONS, topic),
            LogPast(self._reader, topic, partition),
            States(REMEMBERED, settled=False),
            partition=partition,
            partitions=partitions,
            standing=at.epochs,
            discarded=discarded,
            parked=parked,
        )
        return at, fold


class FencedTables:
    """The live tables: each write is one transaction that begins by passing the fence.

    `attempted` is the offset after the last write, whether it was let through or not.
    """

    def __init__(
        self, connection: Connection, reader: LogReader, position: Position, observer: Observer
    ) -> None:
        self._connection, self._reader, self._observer = connection, reader, observer
        self._position = position
        self.attempted = position.next_offset

    async def load(self, projection: Projection, names: Sequence[str]) -> list[Stream]:
        return await bulk.load(self._connection, projection, names)

    async def write(self, folded: Folded, rows: bulk.Rows) -> None:
        began = time.perf_counter()
        self.attempted = folded.end
        try:
            async with self._connection.transaction():
                moved = await fence.advance(
                    self._connection, self._position, folded.end, folded.newest_ms, folded.last_leaf
                )
                await bulk.write(self._connection, rows)
                if moved.topic == UNROUTED.topic:
                    discards = [s.state for s in folded.touched.values() if isinstance(s.state, Discard)]
                    await resume_discarded(self._connection, self._reader, discards)
        except asyncpg.UniqueViolationError:
            raise TakenForNew from None
        self._position = moved
        self._observer.applied(moved.topic, moved.partition, folded, time.perf_counter() - began)
