"""One region's writes to another region's topic, layer by layer, through whatever happens to the link."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from domain.context.events import Written
from domain.context.layers import Layer
from domain.context.passing import by_urgency, own_write
from domain.context.policy import ContextPolicy
from domain.context.recording import recorded
from domain.context.residency import PinnedElsewhere
from domain.refusal import Refusal
from eventlog.codec import decode, encode
from eventlog.record import RawRecord
from eventlog.topics import regional
from eventlog.tracked import TrackedReader
from eventlog.undecodable import Undecodable
from eventlog.writer import Encoded, LogWriter
from workers.away import Away, why
from workers.replicator_metrics import ReplicatorMetrics, Way

_log = structlog.get_logger(__name__)

# Writes in memory at once, of each layer of a link; urgency orders those.
PIECE = 10_000
PIECE_BYTES = 16 * 1024 * 1024
# Writes in one append. Its deadline is for all of them, while other layers and links of the process append:
# with a whole piece each, none is in time once much is to be passed on, and all is sent again and again.
AT_ONCE = 1_000
_POLL = 0.5  # seconds that a read waits for more
_FOLLOW = 1.0  # seconds between two looks whether a layer that is passed on at once is complete


@dataclass(frozen=True, slots=True)
class Place:
    """Where a region's topic is: `kafka` as `eventlog.connection.options` reads it, `prefix` of its name."""

    region: str
    kafka: str
    prefix: str

    @property
    def topic(self) -> str:
        return regional("context", self.region)


@dataclass(frozen=True, slots=True)
class Link:
    """From a region to another one."""

    source: Place
    target: Place

    @property
    def name(self) -> str:
        return f"{self.source.region} to {self.target.region}"


class Passing:
    """One layer of one link. `again`: from the beginning of the log, once."""

    def __init__(
        self, link: Link, layer: str, policy: ContextPolicy, metrics: ReplicatorMetrics, *, again: bool
    ) -> None:
        self._link, self._layer, self._policy, self._metrics = link, layer, policy, metrics
        self._settings: Layer = policy.layers.named(layer)
        self._way: Way = (link.source.region, link.target.region, layer)
        self._mine = f"context/{link.source.region}.{layer}.".encode()
        self._again = again
        metrics.begins(self._way)

    async def keep(self, away: Away, tried: Callable[[], None]) -> None:
        """Pass on until cancelled; while a side of the link is away, wait. `tried` hears of each attempt."""
        while True:
            try:
                async with self._reader() as reader, self._writer() as writer:
                    self._again = False
                    away.back(self._link.name)
                    tried()
                    if self._settings.sync_seconds == 0:
                        await self._follow(reader, writer)
                    await self._turn(reader, writer)
            except (OSError, Refusal) as error:  # a topic that is not there yet is refused
                away.left(self._link.name, why(error))
                tried()
                await away.wait(self._link.name)
            else:
                await asyncio.sleep(self._settings.sync_seconds)

    def _reader(self) -> TrackedReader:
        source, target = self._link.source, self._link.target
        group = f"folkmoot.replicator.{source.region}.{target.region}.{self._layer}"
        return TrackedReader(source.kafka, source.prefix, source.topic, group, again=self._again)

    def _writer(self) -> LogWriter:
        return LogWriter(self._link.target.kafka, self._link.target.prefix)

    async def _follow(self, reader: TrackedReader, writer: LogWriter) -> None:
        looked = 0.0
        while True:
            began, records = time.time(), await reader.poll(_POLL, PIECE)
            await self._pass_on(reader, writer, self._own(records))
            if not records or time.monotonic() > looked + _FOLLOW:
                looked = time.monotonic()
                if await reader.is_at_end():
                    self._metrics.reached(self._way, began)

    async def _turn(self, reader: TrackedReader, writer: LogWriter) -> None:
        """Everything that lies there when the turn ends, in pieces."""
        complete = False
        while not complete:
            began, writes, size = time.time(), list[Written](), 0
            while len(writes) < PIECE and size < PIECE_BYTES and not complete:
                records = await reader.poll(_POLL, PIECE - len(writes))
                writes += self._own(records)
                size += sum(len(record.value) for record in records)
                complete = await reader.is_at_end()
            await self._pass_on(reader, writer, writes)
        self._metrics.reached(self._way, began)

    async def _pass_on(self, reader: TrackedReader, writer: LogWriter, writes: Sequence[Written]) -> None:
        """Append `writes`, and when all are acknowledged keep that they were."""
        if writes:
            oldest = min(write.wall for write in writes) / 1000
            self._metrics.waits(self._way, oldest)
            groups = by_urgency(writes)
            if self._settings.batched:
                groups = [[write for group in groups for write in group]]
            for group in groups:
                await self._append(writer, group)
            self._metrics.reached(self._way, oldest)
        await reader.commit()

    async def _append(self, writer: LogWriter, writes: Sequence[Written]) -> None:
        for start in range(0, len(writes), AT_ONCE):
            some = writes[start : start + AT_ONCE]
            events = [event for write in some if (event := self._encoded(write)) is not None]
            await writer.append_encoded(self._link.target.topic, events)
            self._metrics.passed(self._way, len(events))

    def _encoded(self, write: Written) -> Encoded | None:
        """One by one: what cannot be stored there, put by hand where it came from, must stop no other."""
        try:
            event = recorded(write, self._link.target.region, self._policy.residency)
            return write.wall, event.stream, encode(event)
        except PinnedElsewhere:
            self._metrics.withheld(self._way, 1)
        except Refusal as refusal:
            _log.warning("replicator.passed_over", link=self._link.name, reason=refusal.problem)
        return None

    def _own(self, records: Sequence[RawRecord]) -> list[Written]:
        """The layer's writes among `records`; what is none is for the source's own projector to park."""
        found = []
        for record in records:
            if record.key is None or not record.key.startswith(self._mine):
                continue
            try:
                event = decode(record.value)
            except Undecodable as undecodable:
                place = {"partition": record.partition, "offset": record.offset}
                _log.warning(
                    "replicator.passed_over", link=self._link.name, reason=undecodable.reason, **place
                )
                continue
            write = own_write(event, self._link.source.region)
            if write is not None and event.stream.encode() == record.key:
                found.append(write)
        return found
