"""The log from its first record into shadow tables, partition by partition, as far as is asked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from eventlog.reader import LogReader
from eventlog.together import together
from projections.folding import PartitionFold
from projections.handover import Bounds, Handover
from projections.in_memory import Place
from projections.past import LogPast
from projections.pipeline import Pipeline, Share, Stretch
from projections.projection import by_category
from projections.registry import PROJECTIONS
from projections.shadow import Shadow, Sums
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


class Second(Protocol):
    """Somebody who fills the same tables with a share of the streams, in a process of its own."""

    async def fill(
        self,
        orders: Orders,
        starts: Mapping[Place, int],
        ends: Mapping[Place, int],
        share: Share,
        told: Callable[[int], None],
    ) -> Sums:
        """The sums, which it leaves to the caller.

        Raises:
            projections.shadow.TakenTwice: a stream that was taken for new is there.
        """
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
            await self.fill_share(self._done, ends, None, told)
        else:
            starts = dict(self._done)
            await together(
                self.fill_share(starts, ends, Share(0, 2), told),
                self._have_filled(self._second, starts, ends, Share(1, 2), told),
            )
            self._folds.clear()  # they know one share of the streams
        self._done |= ends

    async def fill_share(
        self,
        starts: Mapping[Place, int],
        ends: Mapping[Place, int],
        share: Share | None,
        told: Callable[[int], None],
    ) -> None:
        """Read from `starts`, or the log's first record, up to `ends`."""
        for place, end in ends.items():
            stretch = Stretch(*place, starts.get(place, 0), end, self.orders.trusted_from, share)
            handover = Handover(Bounds(ROWS, NO_BOUND, 2 * ROWS, NO_BOUND, pause=None))
            fold = await self._fold(place)
            await Pipeline(self._reader, stretch, fold, self._tables, handover, told=told).run()

    async def _have_filled(
        self,
        second: Second,
        starts: Mapping[Place, int],
        ends: Mapping[Place, int],
        share: Share,
        told: Callable[[int], None],
    ) -> None:
        self._tables.add_sums(await second.fill(self.orders, starts, ends, share, told))

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
