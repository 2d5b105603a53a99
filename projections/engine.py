"""The projector of one topic partition: folds ahead while the batch before is committed behind the fence."""

import asyncio
import time
from collections.abc import Sequence
from typing import Protocol

import asyncpg

from eventlog.reader import LogReader
from eventlog.record import RawRecord
from projections import bulk, fence
from projections.batch import Decoded, Folded, decoded
from projections.deadletters import Discard
from projections.fence import Connection, Position
from projections.folding import PartitionFold
from projections.handover import Handover
from projections.past import LogPast
from projections.projection import by_category
from projections.registry import PROJECTIONS, UNROUTED, standing_on
from projections.resume import discards_of, parked_streams, resume_discarded
from projections.states import States

RECORDS = 2_500  # folded at once
SHARE = 250  # events read before the process's other tasks get their turn
MOST_ROWS, MOST_EVENTS = 5_000, 50_000  # of one transaction, about
REMEMBERED = 10_000  # streams


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
        self._careful_until = 0
        self._using = asyncio.Lock()  # the connection
        self._folding = asyncio.Lock()

    async def follow(self, end: int | None = None) -> None:
        """Apply everything up to the offset `end`; without one, whatever comes until it is cancelled.

        Raises:
            projections.fence.FenceLost: somebody else moved; call it again to go on from there.
            eventlog.record.RetentionLost: the log no longer holds what is wanted.
            OSError, asyncpg.PostgresError: a server is away.
        """
        await bulk.prepare(self._connection, [p for p in PROJECTIONS if p.topic == self._topic])
        while True:
            position, fold = await self._take_stock()
            self._observer.standing(self._topic, self._partition, position.next_offset)
            if end is not None and position.next_offset >= end:
                return
            stop = min((o for o in (end, position.until) if o is not None), default=None)
            handover = Handover(MOST_ROWS, MOST_EVENTS)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._fold_ahead(position.next_offset, stop, fold, handover))
                    group.create_task(self._commit_behind(position, handover))
            except BaseExceptionGroup as faults:
                fault = _first(faults)
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
            States(REMEMBERED),
            standing=at.epochs,
            discarded=discarded,
            parked=parked,
        )
        return at, fold

    async def _fold_ahead(
        self, start: int, stop: int | None, fold: PartitionFold, handover: Handover
    ) -> None:
        batches = self._reader.batches(self._topic, self._partition, start, stop, max_records=RECORDS)
        async for records in batches:
            batch = await _decoded_in_shares(records)
            optimistic = records[0].offset >= self._careful_until
            for category, names in fold.missing(batch, optimistic=optimistic).items():
                await self._load(fold, category, names, handover)
            async with self._folding:
                folded = await fold.fold(batch)
            await handover.give(folded)
            fold.states.age()
        handover.end()

    async def _load(
        self, fold: PartitionFold, category: str, names: Sequence[str], handover: Handover
    ) -> None:
        async with self._using:  # so no commit is under way that could hold what is missing
            waiting = {name: found for name in names if (found := handover.stream(name))}
            stored = [name for name in names if name not in waiting]
            loaded = await bulk.load(self._connection, fold.takers[category], stored)
        for stream in (*waiting.values(), *loaded):
            fold.states.put(stream)

    async def _commit_behind(self, position: Position, handover: Handover) -> None:
        while await handover.ready():
            async with self._using:
                async with self._folding:  # rows are made of states that no half of a batch has moved
                    folded = handover.take()
                    rows = bulk.rows_of(folded, self._partition)
                began = time.perf_counter()
                position = await self._commit(position, folded, rows)
            self._observer.applied(self._topic, self._partition, folded, time.perf_counter() - began)

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
