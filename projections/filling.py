"""The log from its first record into shadow tables, partition by partition, as far as is asked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from eventlog.reader import LogReader
from eventlog.record import RawRecord
from eventlog.together import together
from projections.folding import PartitionFold
from projections.handover import Bounds, Handover
from projections.in_memory import Place
from projections.past import LogPast
from projections.pipeline import Pipeline, Stretch
from projections.projection import by_category
from projections.registry import PROJECTIONS
from projections.shadow import Shadow, Sums
from projections.sharing import Shared, Source
from projections.states import States

# Streams in memory before they are written. The more there are, the more are written once and for all, and
# the later, if ever, the tables need keys.
ROWS = 20_000
REMEMBERED = 10_000  # written streams that stay in memory, for each partition
NO_BOUND = 1 << 62
WORTH_SHARING = 20_000  # records


@dataclass(frozen=True, slots=True)
class Orders:
    """What is to be filled, and what is known beforehand.

    `names` are the projections, `given_up` the discarded offsets by place. Streams that begin at offset
    `trusted_from` or later are taken for new.
    """

    names: tuple[str, ...]
    given_up: Mapping[Place, Mapping[int, str | None]]
    trusted_from: int
    live: str


class Channel(Protocol):
    """To somebody who folds what he is given into the same tables."""

    async def give(self, records: Sequence[RawRecord]) -> None:
        """The next records of the place that is filled; none of them when the next place's turn comes.

        Raises:
            ConnectionError: he is gone.
        """
        ...

    async def sums(self, told: Callable[[int], None]) -> Sums:
        """The sums, which he leaves to the caller, as soon as the last place is filled.

        Raises:
            projections.shadow.TakenTwice: a stream that was taken for new is there.
            ConnectionError: he is gone, or failed.
        """
        ...

    async def close(self) -> None:
        """Returns when he is done, or has given up what he was at, and touches the tables no more."""
        ...


class Second(Protocol):
    """Who fills the same tables with a share of the streams, in a process of its own."""

    async def open(self, orders: Orders, starts: Mapping[Place, int], ends: Mapping[Place, int]) -> Channel:
        """Have the places filled, in the order of `ends`; what is in them will be given."""
        ...


class Filling:
    """Fills `tables` as ordered; `read` counts the records."""

    def __init__(
        self,
        reader: LogReader,
        tables: Shadow,
        orders: Orders,
        progress: Callable[[int, int], None],
        second: Second | None = None,
    ) -> None:
        self._reader, self._tables, self.orders = reader, tables, orders
        self._progress, self._second = progress, second
        self._folds: dict[Place, PartitionFold] = {}
        self._done: dict[Place, int] = {}
        self.read = 0

    def left(self, ends: Mapping[Place, int]) -> int:
        """How many offsets are still to be read."""
        return sum(end - self._done.get(place, 0) for place, end in ends.items())

    async def fill(self, ends: Mapping[Place, int]) -> None:
        """Read each place up to its end; a long way is shared with the second process."""
        total = self.read + self.left(ends)

        def told(events: int) -> None:
            self.read += events
            self._progress(self.read, total)

        if self._second is None or self.left(ends) < WORTH_SHARING:
            await self.fill_from(self._reader, self._done, ends, told)
        else:
            await self._fill_both(self._second, ends, told)
            self._folds.clear()  # they know one share of the streams
        self._done |= ends

    async def fill_from(
        self,
        source: Source,
        starts: Mapping[Place, int],
        ends: Mapping[Place, int],
        told: Callable[[int], None],
    ) -> None:
        """Fold from `starts`, or the log's first record, up to `ends`, as much of it as `source` gives."""
        for place, end in ends.items():
            stretch = Stretch(*place, starts.get(place, 0), end, self.orders.trusted_from)
            handover = Handover(Bounds(ROWS, NO_BOUND, 2 * ROWS, NO_BOUND, pause=None))
            fold = await self._fold(place)
            await Pipeline(source, stretch, fold, self._tables, handover, told=told).run()

    async def _fill_both(
        self, second: Second, ends: Mapping[Place, int], told: Callable[[int], None]
    ) -> None:
        channel = await second.open(self.orders, self._done, ends)
        try:
            source = Shared(self._reader, channel.give)
            await together(self._have_filled(channel, told), self.fill_from(source, self._done, ends, told))
        finally:
            await channel.close()

    async def _have_filled(self, channel: Channel, told: Callable[[int], None]) -> None:
        self._tables.add_sums(await channel.sums(told))

    async def _fold(self, place: Place) -> PartitionFold:
        if place not in self._folds:
            self._folds[place] = PartitionFold(
                by_category(PROJECTIONS, place[0]),
                LogPast(self._reader, *place),
                States(REMEMBERED),
                partition=place[1],
                partitions=len(await self._reader.partitions(place[0])),
                standing=self.orders.names,
                discarded=self.orders.given_up.get(place, {}),
                parked=await self._tables.parked(*place, self.orders.names),
            )
        return self._folds[place]
