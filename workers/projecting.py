"""Every partition of a projector process, followed through what happens to Kafka, Postgres and its rivals."""

import asyncio
import gc
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from traceback import walk_tb

import structlog

from domain.refusal import Refusal
from eventlog.reader import LogAway, LogReader
from eventlog.record import RetentionLost
from projections.connection import AWAY, NOT_MIGRATED, connect, fault, is_away
from projections.engine import PartitionProjector
from projections.fence import Connection, FenceLost
from workers.away import Away, why
from workers.lookout import Lookout
from workers.projector_metrics import ProjectorMetrics
from workers.settings import Settings

_log = structlog.get_logger(__name__)

Place = tuple[str, int]

_LAG_EVERY = 1.0  # seconds
_LOST_FENCE = 0.5  # seconds, at most, that a beaten projector leaves to the other
_LOST_HISTORY = 10.0  # seconds until a partition whose history is gone is looked at again
_CONNECT_WITHIN = 5.0
_STEADY = 1.0  # seconds that a connection to Postgres must last to count as its return
_STATEMENT_WITHIN = 60.0  # seconds; a server that vanished without a word is not waited for without end
_REGIONS_EVERY = 2.0  # seconds between two looks for a region that is new
_ENDS_WITHIN = 2.0  # seconds for the ends of all partitions; by itself aiokafka tries for 40
APPLICATION = "folkmoot projector"  # by which Postgres, and so `moot status`, knows the connection


class Projecting:
    """Follows partitions until it is cancelled."""

    def __init__(self, settings: Settings, metrics: ProjectorMetrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._away = Away()

    async def project(
        self, topics: Sequence[str], partitions: Sequence[int], ready: Callable[[], None]
    ) -> None:
        """Follow the `partitions` (none: all) of `topics` (none: all that there are but `checkpoints`).

        Of all topics, those of regions that begin to exist later are followed, too.

        `ready` is told when each was taken up.

        Raises:
            Refusal: topics or tables are missing.
        """
        while True:
            try:
                async with LogReader(self._settings.kafka, self._settings.topic_prefix) as reader:
                    self._away.back("kafka")
                    await self._follow_all(reader, topics, partitions, ready)
            except ConnectionError as error:
                self._away.left("kafka", why(error))
                await self._away.wait("kafka")

    async def _follow_all(
        self,
        reader: LogReader,
        topics: Sequence[str],
        partitions: Sequence[int],
        ready: Callable[[], None],
    ) -> None:
        places = await _places(reader, topics, partitions)
        try:
            async with asyncio.TaskGroup() as group:
                for place in places:
                    group.create_task(self._keep_following(reader, place))
                if not topics:
                    group.create_task(self._take_up_regions(reader, places, partitions, group))
                group.create_task(self._watch(reader, places, ready))
                group.create_task(Lookout(self._connect, self._metrics, self._away).keep_looking())
        except* Refusal as refused:
            raise refused.exceptions[0] from None

    async def _take_up_regions(
        self, reader: LogReader, places: list[Place], partitions: Sequence[int], group: asyncio.TaskGroup
    ) -> None:
        """Add the places of regions that begin to exist while this process runs."""
        while True:
            await asyncio.sleep(_REGIONS_EVERY)
            there: list[Place] = []
            # A topic that is being made may be listed before it is described; Kafka away is said elsewhere.
            with suppress(ConnectionError, TimeoutError, Refusal):
                async with asyncio.timeout(_ENDS_WITHIN):
                    there = await _places(reader, (), partitions)
            for place in there:
                if place not in places:
                    _log.info("projector.region_found", topic=place[0], partition=place[1])
                    places.append(place)
                    group.create_task(self._keep_following(reader, place))

    async def _connect(self) -> Connection:
        return await connect(
            self._settings.database_url,
            within=_CONNECT_WITHIN,
            statement_within=_STATEMENT_WITHIN,
            application=APPLICATION,
        )

    async def _keep_following(self, reader: LogReader, place: Place) -> None:
        while True:
            try:
                connection = await self._connect()
            except AWAY as error:
                self._away.left("postgres", why(error))
                await self._away.wait("postgres")
                continue
            # A server may take connections and refuse every write, on a full disk say.
            steady = asyncio.get_running_loop().call_later(_STEADY, self._away.back, "postgres")
            try:
                await self._follow(PartitionProjector(reader, connection, *place, self._metrics), place)
            finally:
                steady.cancel()
                connection.terminate()
            # What was folded and not committed hangs in the cycles of the fault; a collector that was calmed
            # for folding would leave 6 MB lying after each loss of Postgres.
            gc.collect()

    async def _follow(self, projector: PartitionProjector, place: Place) -> None:
        """Follow one partition until something happens to it that was seen to here."""
        try:
            await projector.follow()
        except FenceLost as lost:
            self._metrics.fence_lost(*place)
            _log.warning("projector.fence_lost", topic=place[0], partition=place[1], cause=str(lost))
            await asyncio.sleep(random.uniform(0, _LOST_FENCE))  # noqa: S311 # rivals must not meet again
        except RetentionLost as lost:
            _log.error("projector.history_lost", topic=place[0], partition=place[1], cause=str(lost))
            await asyncio.sleep(_LOST_HISTORY)
        except NOT_MIGRATED as error:
            raise Refusal("postgres", f"{why(error)}: run `moot migrate`") from None
        except LogAway as error:
            self._away.left("kafka", why(error))
            await self._away.wait("kafka")
        except Refusal:
            raise
        except Exception as error:
            if not is_away(error):
                raise self._stuck(place, error) from error
            # Once records flow, a fault of Kafka's is waited for inside: this one stopped the transaction.
            self._away.left("postgres", why(error))
            await self._away.wait("postgres")

    def _stuck(self, place: Place, error: Exception) -> Refusal:
        """What ends the process: neither time nor another try would change it."""
        offset, what, at = self._metrics.next_offsets.get(place), fault(error), _where(error)
        topic, partition = place
        _log.error("projector.stuck", topic=topic, partition=partition, offset=offset, fault=what, at=at)
        problem = f"{topic}/{partition} cannot be projected from offset {offset} on: {what} at {at}"
        return Refusal(
            "projector", f"{problem}; nothing of it was written, what comes next needs mended code"
        )

    async def _watch(self, reader: LogReader, places: Sequence[Place], ready: Callable[[], None]) -> None:
        """Keep the lag up to date, say when Kafka leaves and is back, and when every place was taken up."""
        announced = False
        while True:
            if not announced and all(place in self._metrics.next_offsets for place in places):
                announced = True
                ready()
            try:
                async with asyncio.timeout(_ENDS_WITHIN):
                    for place in places:
                        _, end = await reader.beginning_and_end(*place)
                        self._metrics.measured(*place, end)
                self._away.back("kafka")
            except (ConnectionError, TimeoutError) as error:
                self._metrics.unmeasured()
                self._away.left("kafka", why(error))
            await asyncio.sleep(_LAG_EVERY if announced else _LAG_EVERY / 20)


async def _places(reader: LogReader, topics: Sequence[str], partitions: Sequence[int]) -> list[Place]:
    topics = topics or [topic for topic in await reader.topics() if topic != "checkpoints"]
    places = [(topic, p) for topic in topics for p in await reader.partitions(topic)]
    return [place for place in places if not partitions or place[1] in partitions]


def _where(error: BaseException) -> str:
    """The last place of ours that a fault went through."""
    frames = [
        frame for frame, _ in walk_tb(error.__traceback__) if frame.f_globals.get("__name__") != __name__
    ]
    ours = [frame for frame in frames if Path(frame.f_code.co_filename).parent.name == "projections"]
    frame = (ours or frames)[-1]
    return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
