"""Appending to the log: all events or a refusal, and an answer before a deadline."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

from aiokafka.errors import KafkaError, KafkaTimeoutError, UnknownTopicOrPartitionError

from domain.counting import counted
from domain.event import Event
from domain.refusal import Refusal
from domain.strict_json import printable
from eventlog.codec import EPOCH, encode
from eventlog.connection import shown
from eventlog.partitioning import WORTH_ARRAYS, partition_of, partitions_of
from eventlog.producing import BULK, Entry, Producing, send_each, send_packed
from eventlog.record import Position
from eventlog.topics import kafka_name, streams_begin

_MILLISECOND = timedelta(milliseconds=1)

Encoded = tuple[int, str, bytes]
"""An event's time in Unix milliseconds, its stream, and what `encode` made of it."""


class WriteFailed(OSError):
    """The cluster refused the records, twice: the topic and Kafka's reason."""


class TopicNotThere(FileNotFoundError):
    """The cluster answers, and has no topic of this name."""


class LogWriter:
    """Writes events with `acks=all`, idempotent; safe for callers that append at the same time.

    `linger_ms` is how long a record may wait for company: 0 answers soonest, a few milliseconds let many
    small appends travel together. `deadline` is in seconds and holds for each append as a whole. Events of a
    stream within one append keep their order on the log, also when the producer repeats them. A repeated
    append may lie on the log twice; readers drop the second by stream, version and id. `alone`: it has one
    caller, who appends all that he has, so that a few records, too, are sent as one.
    """

    def __init__(
        self,
        bootstrap: str,
        prefix: str = "",
        *,
        linger_ms: int = 0,
        deadline: float = 10.0,
        alone: bool = False,
    ) -> None:
        self._bootstrap, self._prefix, self._deadline = bootstrap, prefix, deadline
        self._packed_from = 2 if alone else BULK
        self._producing = Producing(bootstrap, linger_ms=linger_ms, deadline=deadline)

    async def __aenter__(self) -> Self:
        try:
            async with asyncio.timeout(self._deadline):
                await self._producing.producer()
        except TimeoutError:
            await self._producing.close()
            raise TimeoutError(
                f"Kafka at {shown(self._bootstrap)} did not answer within {self._deadline:g} s"
            ) from None
        except BaseException:
            await self._producing.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._producing.close()

    async def append(self, topic: str, events: Sequence[Event]) -> list[Position]:
        """Write `events` in order to a logical topic; return their positions when all are durable.

        Raises:
            Refusal: an event is too large, not storable or of another topic; none of `events` was written.
            TopicNotThere: the cluster says that there is no such topic.
            TimeoutError: not all were acknowledged within the deadline; appending the same again is safe.
        """
        return await self.append_encoded(
            topic, [(milliseconds(event.time), event.stream, encode(event)) for event in events]
        )

    async def append_encoded(self, topic: str, encoded: Sequence[Encoded]) -> list[Position]:
        """As `append`, of what `encode` made before, to the byte: after a software update, too.

        Raises:
            Refusal: an event is of another topic; nothing was written.
            TopicNotThere, TimeoutError: see `append`.
        """
        name = kafka_name(self._prefix, topic)
        ours = streams_begin(topic)
        entries = [_entry(topic, ours, *one) for one in encoded]
        if not entries:
            return []
        try:
            async with asyncio.timeout(self._deadline):
                offsets = await self._deliver(name, entries)
        except UnknownTopicOrPartitionError:
            hint = "Kafka does not answer"
        except (TimeoutError, KafkaTimeoutError):
            hint = "appending the same again is safe"
        except KafkaError as error:
            raise WriteFailed(f"topic {name} could not be written: {error!r}") from error
        else:
            return [Position(topic, partition, offset) for partition, offset in offsets]
        told = f"did not acknowledge {counted(len(entries), 'event')} within {self._deadline:g} s"
        raise TimeoutError(f"topic {name} {told}: {hint}")

    async def _deliver(self, name: str, entries: list[Entry]) -> list[tuple[int, int]]:
        """Partition and offset of each entry. A producer that fails is replaced once."""
        send = send_packed if len(entries) >= self._packed_from else send_each
        replaced = False
        while True:
            producer = await self._producing.producer()
            try:
                count = await self._partitions(producer, name)
                partitions = _belong([key for _, key, _ in entries], count)
                offsets = await send(producer, name, partitions, entries)
            except UnknownTopicOrPartitionError:
                raise
            except asyncio.CancelledError:
                self._producing.retire(producer, "deadline or caller gone")
                raise
            except KafkaError as error:
                self._producing.retire(producer, type(error).__name__)
                if replaced:
                    raise
                replaced = True
            else:
                return list(zip(partitions, offsets, strict=True))

    async def _partitions(self, producer: Any, name: str) -> int:
        # Only a topic that the cluster does not know takes longer than one look: ask half of the deadline, so
        # that the error can say so.
        try:
            async with asyncio.timeout(self._deadline / 2):
                return len(await producer.partitions_for(name))
        except TimeoutError:
            if await self._is_missing(producer, name):
                raise TopicNotThere(f"topic {name} is not there; `moot migrate` makes it") from None
            raise UnknownTopicOrPartitionError(name) from None

    async def _is_missing(self, producer: Any, name: str) -> bool:
        """Whether the cluster, asked for all its topics, answers without this one."""
        try:
            async with asyncio.timeout(self._deadline / 4):
                known = await producer.client.fetch_all_metadata()
        except (TimeoutError, KafkaError):
            return False
        return name not in known.topics()


def _belong(keys: list[bytes], partitions: int) -> list[int]:
    if len(keys) >= WORTH_ARRAYS:
        return partitions_of(keys, partitions)
    return [partition_of(key, partitions) for key in keys]


def _entry(topic: str, ours: tuple[str, ...], timestamp_ms: int, stream: str, value: bytes) -> Entry:
    if not stream.startswith(ours):
        raise Refusal("event", f"an event of {printable(stream, 200)} does not belong to topic {topic}")
    return timestamp_ms, stream.encode(), value


def milliseconds(time: datetime) -> int:
    """Unix milliseconds, rounded down, without the error of a float."""
    return (time - EPOCH) // _MILLISECOND
