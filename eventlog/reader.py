"""Reading the log: raw records in order, from an offset on, and never past a hole in silence."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from domain.refusal import Refusal
from eventlog import consuming, search
from eventlog.connection import options
from eventlog.record import LastRead, RawRecord, RetentionLost
from eventlog.silence import silence
from eventlog.topics import TOPICS, is_sealed, kafka_name, regional_topics

MAX_RECORDS = 10_000
# One fetch holds about 6,000 records of 600 bytes, so it is a batch by itself while the next is on its way.
FETCH_BYTES = 4 * 1024 * 1024
_WAIT_MS = 1_000


class LogAway(ConnectionError):
    """Kafka does not answer; where, and how it fails."""


class LogReader:
    """Reads committed records. Positions are the caller's: nothing is committed to Kafka, nothing ever reset.

    Each iteration of `batches` has a connection of its own, so that several partitions are read at the same
    time. `fetch_bytes` bounds what one of them holds in memory, about twice over.
    """

    def __init__(self, bootstrap: str, prefix: str = "", *, fetch_bytes: int = FETCH_BYTES) -> None:
        self._bootstrap, self._prefix, self._fetch_bytes = bootstrap, prefix, fetch_bytes
        self._open: set[Any] = set()
        self._asking: Any = None
        self._admin: Any = None

    async def __aenter__(self) -> Self:
        try:
            self._asking = await self._connect()
            self._admin = AIOKafkaAdminClient(**options(self._bootstrap), client_id="folkmoot")
            await self._admin.start()
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._admin is not None:
            await self._admin.close()
        while self._open:
            await consuming.stop(self._open.pop())

    async def name(self) -> str:
        """What tells this log from every other: the prefix of its topics, and the cluster's own id.

        Raises:
            Refusal: the cluster says none.
            ConnectionError: Kafka does not answer.
        """
        try:
            cluster = (await self._admin.describe_cluster()).get("cluster_id")
        except KafkaError as error:
            raise self._silent(error) from None
        if not cluster:
            raise Refusal("FOLKMOOT_KAFKA", "its cluster says no id, by which logs are told apart")
        return f"{self._prefix}@{cluster}"

    async def topics(self) -> list[str]:
        """Every logical topic: the ones that there always are, and those of the regions that exist.

        Raises:
            ConnectionError: Kafka does not answer.
        """
        try:
            there = await self._admin.list_topics()
        except KafkaError as error:
            raise self._silent(error) from None
        return [*TOPICS, *regional_topics(self._prefix, there)]

    async def sealed(self) -> list[tuple[str, int]]:
        """Every partition, by its logical topic, that checkpoints vouch for.

        Raises:
            ConnectionError: Kafka does not answer.
        """
        topics = [topic for topic in await self.topics() if is_sealed(topic)]
        return [(topic, partition) for topic in topics for partition in await self.partitions(topic)]

    async def partitions(self, topic: str) -> list[int]:
        """The partitions of a logical topic, in order.

        Raises:
            Refusal: the topic is not there.
        """
        name = kafka_name(self._prefix, topic)
        try:
            (described,) = await self._admin.describe_topics([name])
        except KafkaError as error:
            raise self._silent(error) from None
        if described["error_code"]:
            raise Refusal(f"topic {name}", "is not on the cluster: `moot migrate` makes it")
        return sorted(partition["partition"] for partition in described["partitions"])

    async def beginning_and_end(self, topic: str, partition: int) -> tuple[int, int]:
        """The first offset that the log still holds, and the one that the next record will have.

        Raises:
            ConnectionError: Kafka does not answer.
        """
        tp = TopicPartition(kafka_name(self._prefix, topic), partition)
        try:
            beginning = await self._asking.beginning_offsets([tp])
            end = await self._asking.end_offsets([tp])
        except KafkaError as error:
            raise self._silent(error) from None
        return beginning[tp], end[tp]

    async def offset_at(self, topic: str, partition: int, timestamp_ms: int) -> int | None:
        """The first offset whose record has that time (Unix milliseconds) or a later one; None if none."""
        tp = TopicPartition(kafka_name(self._prefix, topic), partition)
        try:
            found = (await self._asking.offsets_for_times({tp: timestamp_ms}))[tp]
        except KafkaError as error:
            raise self._silent(error) from None
        return None if found is None else found.offset

    async def batches(
        self,
        topic: str,
        partition: int,
        start: int,
        end: int | None = None,
        max_records: int = MAX_RECORDS,
        *,
        after: bytes | None = None,
    ) -> AsyncGenerator[list[RawRecord], None]:
        """Records from offset `start` on, at most `max_records` at once, none of them empty.

        Stops before `end`; without `end` it waits for more and never stops. Offsets may have gaps
        (transaction markers, aborted records): go on at the last record's offset + 1. `after` is the leaf
        hash of the record before `start`: it is read again first, and so is the last record after a silence,
        in which Kafka may have come back with another log.

        Raises:
            ConnectionError: Kafka does not answer at the beginning; later it is waited for.
            RetentionLost: the log begins after `start`, or ends before it, now or while it is followed.
            LogReplaced: the record before what comes is not the one that was.
        """
        tp = TopicPartition(kafka_name(self._prefix, topic), partition)
        if end is not None and start >= end:
            return
        await self._check(topic, partition, start)
        consumer = await self._connect()
        try:
            consumer.assign([tp])
            last, silent = LastRead(start - 1, after) if after else None, False
            again = last is not None  # whether the last record comes once more
            # Before anything is awaited: without a position the fetcher gives up.
            consumer.seek(tp, start - again)
            while end is None or await consumer.position(tp) < end:
                found = await self._next(consumer, tp, max_records, topic, last)
                if not found:
                    silent = last is not None
                elif last is not None and silent and not again:
                    consumer.seek(tp, last.offset)
                    again = True
                else:
                    records = last.past(found) if last is not None and again else found
                    silent = again = False
                    records = [r for r in records if r.offset < end] if end is not None else records
                    if records:
                        last = LastRead(records[-1].offset, records[-1].leaf)
                        yield records
        finally:
            self._open.discard(consumer)
            await consuming.stop(consumer)

    async def find(self, event_id: str) -> RawRecord | None:
        """See `eventlog.search.find`."""
        return await search.find(self, event_id)

    async def stream(self, stream: str, start: int | None = None, end: int | None = None) -> list[RawRecord]:
        """See `eventlog.search.read_stream`."""
        return await search.read_stream(self, stream, start, end)

    async def _next(
        self, consumer: Any, tp: TopicPartition, limit: int, topic: str, last: LastRead | None
    ) -> list[RawRecord]:
        try:
            found = (await consumer.getmany(tp, timeout_ms=_WAIT_MS, max_records=limit)).get(tp, [])
        except OffsetOutOfRangeError:
            found = []
        if not found:
            with suppress(ConnectionError):  # while Kafka is away, a follower waits
                wanted = await consumer.position(tp)
                await self._check(topic, tp.partition, max(wanted, last.offset + 1) if last else wanted)
        return [RawRecord(topic, tp.partition, r.offset, r.timestamp, r.key, r.value or b"") for r in found]

    async def _check(self, topic: str, partition: int, wanted: int) -> None:
        # A fetch beyond the log's ends may wait for ever (aiokafka issue 718), so it is never made blindly.
        beginning, end = await self.beginning_and_end(topic, partition)
        if wanted > end:
            # A broker that has just become leader may not know its own end yet: ask twice.
            await asyncio.sleep(_WAIT_MS / 1000)
            beginning, end = await self.beginning_and_end(topic, partition)
        if not beginning <= wanted <= end:
            raise RetentionLost(topic, partition, wanted, beginning, end)

    async def _connect(self) -> Any:
        try:
            consumer = await consuming.start(self._bootstrap, self._fetch_bytes)
        except KafkaError as error:
            raise self._silent(error) from None
        self._open.add(consumer)
        return consumer

    def _silent(self, error: KafkaError) -> LogAway:
        return LogAway(silence(self._bootstrap, error))
