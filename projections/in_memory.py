"""The log folded without a database: what the tables must hold, for audits and tests."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table

from eventlog.reader import LogReader
from projections.batch import Folded, decoded
from projections.bulk import dead_letter_row, row_of
from projections.deadletters import Discard
from projections.folding import PartitionFold
from projections.past import LogPast
from projections.projection import Projection, by_category
from projections.registry import PROJECTIONS, UNROUTED
from projections.state_hash import Row
from projections.states import States, Stream
from projections.tables import DEAD_LETTER

Place = tuple[str, int]
EVERYTHING = 1 << 62  # streams


@dataclass(slots=True)
class MemoryRows:
    """Folded rows; the whole state is held, some 2 KB a stream."""

    streams: dict[str, tuple[Stream, int]] = field(default_factory=dict)
    totals: Folded = field(default_factory=lambda: Folded(0, 0))

    def take(self, folded: Folded, partition: int) -> None:
        self.streams.update({name: (stream, partition) for name, stream in folded.touched.items()})
        folded.touched = {}
        self.totals.absorb(folded)

    async def rows(self, table: Table, projection: Projection) -> AsyncIterator[Row]:
        """See `state_hash.Rows`."""
        for row in sorted(self._unsorted(table, projection), key=lambda row: row[: len(table.primary_key)]):
            yield row

    def discards(self) -> dict[Place, dict[int, str | None]]:
        """What people gave up, by place and offset."""
        found: dict[Place, dict[int, str | None]] = {}
        for stream, _ in self.streams.values():
            if isinstance(stream.state, Discard):
                given_up = stream.state
                found.setdefault((given_up.topic, given_up.partition), {})[given_up.offset] = given_up.stream
        return found

    def _unsorted(self, table: Table, projection: Projection) -> list[tuple[Any, ...]]:
        if table is DEAD_LETTER:
            return [dead_letter_row(d) for d in self.totals.dead if d.projection == projection.name]
        if table is projection.totals:
            return [(*key, *sums) for key, sums in self.totals.sums.get(projection.name, {}).items()]
        return [row_of(s, partition) for s, partition in self.streams.values() if s.projection is projection]


async def fold_log(
    reader: LogReader, ends: Mapping[Place, int], tell: Callable[[int, int], None] | None = None
) -> MemoryRows:
    """Fold every place of `ends` from offset 0 up to and without the offset it maps to.

    `tell` hears after each place how many records of how many are folded.

    Raises:
        eventlog.record.RetentionLost: the log does not hold all of it.
    """
    given_up = await discards(reader, ends)
    found, done = MemoryRows(), 0
    for place, end in ends.items():
        await _fold_partition(reader, place, end, given_up.get(place, {}), found)
        done += end
        if tell is not None:
            tell(done, sum(ends.values()))
    return found


async def discards(reader: LogReader, ends: Mapping[Place, int]) -> dict[Place, dict[int, str | None]]:
    """All discards, by place and offset: read first, because they say which other records count."""
    found = MemoryRows()
    for place, end in ends.items():
        if place[0] == UNROUTED.topic:
            await _fold_partition(reader, place, end, {}, found)
    return found.discards()


async def _fold_partition(
    reader: LogReader, place: Place, end: int, given_up: dict[int, str | None], into: MemoryRows
) -> None:
    topic, partition = place
    fold = PartitionFold(
        by_category(PROJECTIONS, topic),
        LogPast(reader, *place),
        States(EVERYTHING),
        partition=partition,
        partitions=len(await reader.partitions(topic)),
        discarded=given_up,
    )
    async for records in reader.batches(topic, partition, 0, end):
        into.take(await fold.fold(decoded(records)), partition)
