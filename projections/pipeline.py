"""Records in, rows out: the next records are fetched and folded while the tables take the ones before."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from eventlog.record import RawRecord
from eventlog.together import together
from projections.batch import Decoded, Folded, decoded
from projections.bulk import Rows, rows_of
from projections.folding import PartitionFold
from projections.handover import Handover
from projections.projection import Projection
from projections.sharing import Source
from projections.states import Stream

RECORDS = 2_500  # folded at once
SHARE = 250  # events read before the process's other tasks get their turn


class Tables(Protocol):
    """Where the rows go."""

    async def load(self, projection: Projection, names: Sequence[str]) -> list[Stream]:
        """The stored streams among `names`, and an empty one for each that is not stored."""
        ...

    async def write(self, folded: Folded, rows: Rows) -> None:
        """Take what follows what was written before; it is on its way until this returns."""
        ...


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a topic partition: from `start` up to `stop`, or on and on without one.

    Streams that seem to begin at `trusted_from` or later are taken for new without a look at the tables.
    `after` is the leaf hash of the record before `start`, if known.
    """

    topic: str
    partition: int
    start: int
    stop: int | None
    trusted_from: int = 0
    after: bytes | None = None


class Pipeline:
    """One stretch of the log on its way into `tables`."""

    def __init__(
        self,
        source: Source,
        stretch: Stretch,
        fold: PartitionFold,
        tables: Tables,
        handover: Handover,
        *,
        told: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._source, self._stretch = source, stretch
        self._fold, self._tables, self._handover = fold, tables, handover
        self._told = told  # of how many records were folded
        self._using = asyncio.Lock()  # the tables
        self._folding = asyncio.Lock()

    async def run(self) -> None:
        """Until the stretch ends or something fails; what is written then is whole, the rest is not begun.

        Raises:
            Exception: the first that reading, folding or writing raised, itself and not in a group.
        """
        await together(self._fold_ahead(), self._write_behind())

    async def _fold_ahead(self) -> None:
        at = self._stretch
        following = self._source.batches(
            at.topic, at.partition, at.start, at.stop, max_records=RECORDS, after=at.after
        )
        async with aclosing(following) as batches:  # else it goes on fetching until it is collected
            async for records in batches:
                await self._fold_batch(records)
        self._handover.end()

    async def _fold_batch(self, records: Sequence[RawRecord]) -> None:
        batch = await _decoded_in_shares(records)
        trusted = records[0].offset >= self._stretch.trusted_from
        await self._load(self._fold.missing(batch, self._handover.streams, optimistic=trusted))
        async with self._folding:
            folded = await self._fold.fold(batch)
        self._fold.states.age(folded.touched.values())
        await self._handover.give(folded)
        self._told(folded.events)

    async def _load(self, missing: Mapping[str, Sequence[str]]) -> None:
        if not missing:
            return
        async with self._using:  # so nothing is on its way that could be what is missing
            for category, names in missing.items():
                waiting = {name: found for name in names if (found := self._handover.streams.get(name))}
                stored = [name for name in names if name not in waiting]
                loaded = await self._tables.load(self._fold.takers[category], stored) if stored else []
                for stream in (*waiting.values(), *loaded):
                    self._fold.states.put(stream)

    async def _write_behind(self) -> None:
        while await self._handover.ready():
            async with self._using:
                async with self._folding:  # rows are made of states that no half of a batch has moved
                    folded = self._handover.take()
                    rows = rows_of(folded, self._stretch.partition)
                await self._tables.write(folded, rows)


async def _decoded_in_shares(records: Sequence[RawRecord]) -> list[Decoded]:
    batch: list[Decoded] = []
    for first in range(0, len(records), SHARE):
        batch += decoded(records[first : first + SHARE])
        await asyncio.sleep(0)
    return batch
