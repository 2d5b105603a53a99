"""One idempotent Kafka producer, replaced when it cannot go on; and the two ways to hand it records."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from eventlog.connection import options
from eventlog.together import together
from eventlog.topics import MAX_BATCH_BYTES

_log = structlog.get_logger(__name__)
# CloudEvents 1.0, Kafka protocol binding: what tells a structured event from any other JSON.
HEADERS = [("content-type", b"application/cloudevents+json")]
# From here on, a batch packed by hand takes a third of the time of one send for each record. Below, `send`
# lets the records of callers that write at the same time travel in one batch.
BULK = 100
_BATCH_BYTES = MAX_BATCH_BYTES // 2
_RECONNECT = 0.1  # seconds between two attempts to reach the cluster
_FAREWELL = 1.0  # seconds that a producer which is given up may take to deliver what it still holds

Entry = tuple[int, bytes, bytes]  # timestamp in Unix milliseconds, key, value


class Producing:
    """Holds the producer. `deadline`, in seconds, is also when one request without an answer is repeated."""

    def __init__(self, bootstrap: str, *, linger_ms: int, deadline: float) -> None:
        self._bootstrap, self._linger_ms, self._deadline = bootstrap, linger_ms, deadline
        self._producer: Any = None
        self._starting: asyncio.Task[None] | None = None
        self._waiting = 0  # callers
        self._leaving: set[asyncio.Task[None]] = set()
        self._closed = False

    async def producer(self) -> Any:
        """The producer, started; waits for the cluster as long as the caller does.

        The start is a task of its own that callers wait for together: aiokafka leaves a connection open when
        a start is cancelled between its connect and its first answer.
        """
        self._waiting += 1
        try:
            while self._producer is None:
                if self._closed:
                    raise RuntimeError("the writer is closed")
                if self._starting is None:
                    self._starting = asyncio.create_task(self._start())
                await asyncio.shield(self._starting)
            return self._producer
        finally:
            self._waiting -= 1

    async def _start(self) -> None:
        try:
            while self._waiting and not self._closed:
                producer = self._build()
                try:
                    await producer.start()
                except KafkaError:
                    self._leave(producer)
                    await asyncio.sleep(_RECONNECT)
                except BaseException:
                    self._leave(producer)
                    raise
                else:
                    self._producer = producer
                    return
        finally:
            self._starting = None

    def retire(self, producer: Any, why: str) -> None:
        """Give `producer` up: the next caller gets a new one.

        After a failed batch an idempotent producer has used up sequence numbers that the broker never saw,
        and every later batch fails (aiokafka issue 1017). One that ran into a deadline holds batches that it
        would repeat without end.
        """
        if producer is not self._producer:
            return  # another caller saw the same fault first
        self._producer = None
        _log.warning("writer.producer_replaced", reason=why)
        self._leave(producer)

    async def close(self) -> None:
        """Deliver what is on its way, for a second at most, and close every connection."""
        self._closed = True
        starting = self._starting
        if starting is not None and not await _ended(starting, _FAREWELL):
            await asyncio.wait({starting})  # its producer is handed over to be stopped
        if self._producer is not None:
            self._leave(self._producer)
            self._producer = None
        if self._leaving:
            await asyncio.wait(self._leaving)

    def _leave(self, producer: Any) -> None:
        task = asyncio.create_task(_stop(producer))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    def _build(self) -> Any:
        return AIOKafkaProducer(
            **options(self._bootstrap),
            enable_idempotence=True,
            acks="all",
            linger_ms=self._linger_ms,
            max_batch_size=_BATCH_BYTES,
            max_request_size=MAX_BATCH_BYTES,
            request_timeout_ms=int(self._deadline * 1000),
        )


async def _stop(producer: Any) -> None:
    if await _ended(producer.flush(), _FAREWELL) and await _ended(producer.stop(), _FAREWELL):
        return
    # The cluster does not answer, and a producer has no public way to give up what it holds: it would repeat
    # it without end. None of that was acknowledged, and whoever still waits for it has a deadline.
    producer._closed = True  # noqa: SLF001
    sender = producer._sender.sender_task  # noqa: SLF001
    if sender is not None:
        sender.cancel()
    await _ended(producer.client.close(), _FAREWELL)
    if sender is not None:
        await _ended(sender, _FAREWELL)


async def _ended(work: Awaitable[Any], within: float) -> bool:
    """Whether `work` ends in so many seconds; else it is cancelled. Its faults are nobody's any more."""
    task = asyncio.ensure_future(work)
    await asyncio.wait({task}, timeout=within)
    if not task.done():
        task.cancel()
        return False
    if not task.cancelled():
        task.exception()
    return True


async def send_each(producer: Any, topic: str, partitions: list[int], entries: list[Entry]) -> list[int]:
    """Offsets of `entries`, in their order, each handed to the producer by itself."""
    sent: list[asyncio.Future[Any]] = []
    try:
        for partition, (timestamp, key, value) in zip(partitions, entries, strict=True):
            sent.append(
                await producer.send(
                    topic, value, key=key, partition=partition, timestamp_ms=timestamp, headers=HEADERS
                )
            )
        return [metadata.offset for metadata in await asyncio.gather(*sent)]
    except BaseException:
        for future in sent:
            future.cancel()  # nobody will ask for them again
        raise


async def send_packed(producer: Any, topic: str, partitions: list[int], entries: list[Entry]) -> list[int]:
    """Offsets of `entries`, in their order, packed into as few batches as hold them."""
    places: dict[int, list[int]] = {}
    for place, partition in enumerate(partitions):
        places.setdefault(partition, []).append(place)
    offsets = [-1] * len(entries)

    async def send(partition: int) -> None:
        mine = places[partition]
        first = 0
        delivered = []
        while first < len(mine):
            batch, count = _pack(producer, entries, mine, first)
            delivered.append((await producer.send_batch(batch, topic, partition=partition), first, count))
            first += count
        for future, start, count in delivered:
            base = (await future).offset
            for step in range(count if base >= 0 else 0):
                offsets[mine[start + step]] = base + step

    await together(*(send(partition) for partition in places))  # a fault is one, seen by each partition
    return offsets


def _pack(producer: Any, entries: list[Entry], places: list[int], first: int) -> tuple[Any, int]:
    batch = producer.create_batch()
    count = 0
    for place in places[first:]:
        timestamp, key, value = entries[place]
        if batch.append(timestamp=timestamp, key=key, value=value, headers=HEADERS) is None:
            break
        count += 1
    batch.close()
    return batch, count
