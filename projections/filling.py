"""The log from its first record into shadow tables, partition by partition, as far as is asked."""

from collections.abc import Callable, Mapping

from eventlog.reader import LogReader
from projections.folding import PartitionFold
from projections.handover import Bounds, Handover
from projections.in_memory import Place
from projections.past import LogPast
from projections.pipeline import Pipeline, Stretch
from projections.projection import by_category
from projections.registry import PROJECTIONS
from projections.shadow import Shadow
from projections.states import States

# Streams in memory before they are written. The more there are, the more are written once and for all, and
# the later, if ever, the tables need keys.
ROWS = 20_000
REMEMBERED = 10_000  # written streams that stay in memory, for each partition
NO_BOUND = 1 << 62


class Filling:
    """Fills `tables` with the rows of the projections named; `read` counts the records.

    `given_up` are the discarded offsets by place. Streams that begin at offset `trusted_from` or later are
    taken for new.
    """

    def __init__(
        self,
        reader: LogReader,
        tables: Shadow,
        names: list[str],
        given_up: Mapping[Place, Mapping[int, str | None]],
        *,
        trusted_from: int,
        progress: Callable[[int, int], None],
    ) -> None:
        self._reader, self._tables, self._names = reader, tables, names
        self.given_up = given_up
        self._trusted_from, self._progress = trusted_from, progress
        self._folds: dict[Place, PartitionFold] = {}
        self._done: dict[Place, int] = {}
        self.read = 0

    def left(self, ends: Mapping[Place, int]) -> int:
        """How many offsets are still to be read."""
        return sum(end - self._done.get(place, 0) for place, end in ends.items())

    async def fill(self, ends: Mapping[Place, int]) -> None:
        """Read each place up to its end."""
        total = self.read + self.left(ends)
        for place, end in ends.items():
            stretch = Stretch(*place, self._done.get(place, 0), end, self._trusted_from)
            handover = Handover(Bounds(ROWS, NO_BOUND, 2 * ROWS, NO_BOUND, pause=None))

            def told(events: int) -> None:
                self.read += events
                self._progress(self.read, total)

            await Pipeline(self._reader, stretch, self._fold(place), self._tables, handover, told=told).run()
            self._done[place] = end

    def _fold(self, place: Place) -> PartitionFold:
        if place not in self._folds:
            self._folds[place] = PartitionFold(
                by_category(PROJECTIONS, place[0]),
                LogPast(self._reader, *place),
                States(REMEMBERED),
                standing=self._names,
                discarded=self.given_up.get(place, {}),
            )
        return self._folds[place]
