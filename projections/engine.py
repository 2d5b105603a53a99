"""The projector of one topic partition: folds ahead while the batch before is committed behind the fence."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing
from typing import Protocol

import asyncpg

from eventlog.reader import LogReader
from eventlog.record import RawRecord
from projections import bulk, fence
from projections.batch import Decoded, Folded, decoded
from projections.deadletters import Discard
from projections.fence import Connection, Position
from projections.folding import PartitionFold
from projections.past import LogPast
from projections.projection import by_category
from projections.registry import PROJECTIONS, UNROUTED, standing_on
from projections.resume import discards_of, parked_streams, resume_discarded
from projections.states import States

BATCH = 5_000
SHARE = 250  # events read before the process's other tasks get their turn

Ahead = asyncio.Queue[tuple[Folded, bulk.Rows] | None]


class Observer(Protocol):
    """Who is told of each committed batch."""

    def applied(self, topic: str, partition: int, folded: Folded, seconds: float) -> None:
        """`seconds` is what the transaction took."""
        ...


class TakenForNew(Exception):
    """A stream that seemed to begin in a batch has a row: fold the batch again with the stored state."""


class PartitionProjector:
    """Brings the read tables of one topic partition up to the log; `connection` is its own."""

    def __init__(
        self,
        reader: LogReader,
        connection: Connection,
        topic: str,
        partition: int,
        observer: Observer,
        *,
        batch: int = BATCH,
    ) -> None:
        self._reader, self._connection, self._observer = reader, connection, observer
        self._topic, self._partition = topic, partition
        self._batch = batch
        self._careful_until = 0

    async def follow(self, end: int | None = None) -> None:
        """Apply everything up to the offset `end`; without one, whatever comes until it is cancelled.

        Raises:
            FenceLost: somebody else moved; call it again to go on from there.
            eventlog.record.RetentionLost: the log no longer holds what is wanted.
            OSError, asyncpg.PostgresError: a server is away.
        """
        await bulk.prepare(self._connection, [p for p in PROJECTIONS if p.topic == self._topic])
        while True:
            position, fold = await self._take_stock()
            if end is not None and position.next_offset >= end:
                return
            stop = min((o for o in (end, position.until) if o is not None), default=None)
            try:
                await self._pass(position, fold, stop)
            except BaseExceptionGroup as group:
                fault = _first(group)
                if not isinstance(fault, TakenForNew):
                    raise fault from None

    async def _take_stock(self) -> tuple[Position, PartitionFold]:
        topic, partition, names = self._topic, self._partition, standing_on(self._topic)
        async with self._connection.transaction(isolation="repeatable_read"):
            at = await fence.position(self._connection, topic, partition, names)
            parked = await parked_streams(self._connection, topic, partition, names)
            discarded = await discards_of(self._connection, topic, partition)
        fold = PartitionFold(
            by_category(PROJECTIONS, topic),
            LogPast(self._reader, topic, partition),
            States(),
            standing=at.epochs,
            discarded=discarded,
            parked=parked,
        )
        return at, fold

    async def _pass(self, position: Position, fold: PartitionFold, stop: int | None) -> None:
        ahead: Ahead = asyncio.Queue(maxsize=1)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._fold_ahead(position.next_offset, stop, fold, ahead))
            group.create_task(self._commit_behind(position, ahead))

    async def _fold_ahead(self, start: int, stop: int | None, fold: PartitionFold, ahead: Ahead) -> None:
        batches = self._reader.batches(self._topic, self._partition, start, stop, max_records=self._batch)
        async with aclosing(batches) as source:
            async for records in source:
                batch = await _decoded_in_shares(records)
                optimistic = records[0].offset >= self._careful_until
                for category, names in fold.missing(batch, optimistic=optimistic).items():
                    await ahead.join()  # what is still on its way to the tables could be what is missing
                    for stream in await bulk.load(self._connection, fold.takers[category], names):
                        fold.states.put(stream)
                folded = await fold.fold(batch)
                await ahead.put((folded, bulk.rows_of(folded, self._partition)))
                fold.states.age()
        await ahead.put(None)

    async def _commit_behind(self, position: Position, ahead: Ahead) -> None:
        while (item := await ahead.get()) is not None:
            folded, rows = item
            began = time.perf_counter()
            position = await self._commit(position, folded, rows)
            self._observer.applied(self._topic, self._partition, folded, time.perf_counter() - began)
            ahead.task_done()

    async def _commit(self, position: Position, folded: Folded, rows: bulk.Rows) -> Position:
        try:
            async with self._connection.transaction():
                moved = await fence.advance(self._connection, position, folded.end, folded.newest_ms)
                await bulk.write(self._connection, rows)
                if self._topic == UNROUTED.topic:
                    discards = [s.state for s in folded.touched.values() if isinstance(s.state, Discard)]
                    await resume_discarded(self._connection, self._reader, discards)
        except asyncpg.UniqueViolationError:
            self._careful_until = folded.end
            raise TakenForNew from None
        return moved


async def _decoded_in_shares(records: Sequence[RawRecord]) -> list[Decoded]:
    batch: list[Decoded] = []
    for first in range(0, len(records), SHARE):
        batch += decoded(records[first : first + SHARE])
        await asyncio.sleep(0)
    return batch


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    fault = group.exceptions[0]
    return _first(fault) if isinstance(fault, BaseExceptionGroup) else fault
