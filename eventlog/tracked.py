"""Reading a topic whose place Kafka keeps: the offsets that were committed for a name."""

import asyncio
import time
from types import TracebackType
from typing import Any, Self

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from domain.refusal import Refusal
from eventlog import consuming
from eventlog.reader import LogAway
from eventlog.record import RawRecord
from eventlog.silence import silence
from eventlog.topics import kafka_name

_log = structlog.get_logger(__name__)

FETCH_BYTES = 1 << 20
_ANSWER_WITHIN = 5.0  # seconds; by itself aiokafka asks a Kafka that went away for 40
# Kafka forgets offsets that nobody renewed for a week (offsets.retention.minutes).
_RENEW_AFTER = 3600.0  # seconds


class TrackedReader:
    """Reads all partitions of a topic from where `group` stands, and moves it when it is told.

    `group` is a name for offsets only: readers of one name do not share the partitions, each has all. Where
    there are none yet, or the log does not hold them any more, it begins at the beginning of the log: nothing
    is ever passed over. `again` does so in any case. A topic that MirrorMaker 2 keeps is one with the prefix
    that its name has, `eu.` for `eu.context.eu`.
    """

    def __init__(self, bootstrap: str, prefix: str, topic: str, group: str, *, again: bool = False) -> None:
        self._bootstrap, self._prefix, self._topic, self._again = bootstrap, prefix, topic, again
        self._group = f"{prefix}{group}"
        self._name = kafka_name(prefix, topic)
        self._consumer: Any = None
        self._committed: dict[TopicPartition, int] = {}
        self._renewed = float("-inf")

    async def __aenter__(self) -> Self:
        try:
            async with asyncio.timeout(_ANSWER_WITHIN):
                self._consumer = await consuming.start(self._bootstrap, FETCH_BYTES, self._group)
                await self._take_up(await self._places())
        except (KafkaError, TimeoutError) as error:
            await self._close()
            raise self._away(error) from None
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def poll(self, wait: float, most: int) -> list[RawRecord]:
        """At most `most` records that come within `wait` seconds; those of a partition in their order.

        Raises:
            ConnectionError: Kafka does not answer, or no longer holds what comes next.
        """
        try:
            found = await self._consumer.getmany(timeout_ms=int(wait * 1000), max_records=most)
        except OffsetOutOfRangeError as error:
            raise LogAway(f"topic {self._name} no longer holds what comes next: {error}") from None
        return [
            RawRecord(self._topic, tp.partition, r.offset, r.timestamp, r.key, r.value or b"")
            for tp, records in found.items()
            for r in records
        ]

    async def is_at_end(self) -> bool:
        """Whether everything that the topic has by now was polled.

        Raises:
            ConnectionError: Kafka does not answer.
        """
        try:
            async with asyncio.timeout(_ANSWER_WITHIN):
                ends = await self._consumer.end_offsets([*self._committed])
                positions = await self._positions()
        except (KafkaError, TimeoutError) as error:
            raise self._away(error) from None
        return all(positions[tp] >= end for tp, end in ends.items())

    async def commit(self) -> None:
        """Keep that everything polled so far is done with: whoever comes next begins behind it.

        Raises:
            ConnectionError: Kafka does not answer; it may be kept or not.
        """
        try:
            async with asyncio.timeout(_ANSWER_WITHIN):
                positions = await self._positions()
                if positions == self._committed and time.monotonic() < self._renewed + _RENEW_AFTER:
                    return
                await self._consumer.commit(positions)
        except (KafkaError, TimeoutError) as error:
            raise self._away(error) from None
        self._committed, self._renewed = positions, time.monotonic()

    async def _places(self) -> list[TopicPartition]:
        # A consumer itself says nothing of a topic's partitions before it was assigned some.
        cluster = await self._consumer._client.fetch_all_metadata()  # noqa: SLF001
        partitions = cluster.partitions_for_topic(self._name)
        if not partitions:
            raise Refusal(f"topic {self._name}", "is not on the cluster: `moot migrate` makes it")
        return [TopicPartition(self._name, partition) for partition in sorted(partitions)]

    async def _take_up(self, places: list[TopicPartition]) -> None:
        beginnings = await self._consumer.beginning_offsets(places)
        ends = await self._consumer.end_offsets(places)
        kept = {tp: await self._consumer.committed(tp) for tp in places}
        self._consumer.assign(places)
        for tp in places:
            at = kept[tp]
            lost = at is not None and not beginnings[tp] <= at <= ends[tp]
            if lost:
                _log.warning(
                    "tracked.place_lost", topic=self._topic, partition=tp.partition, wanted=at, end=ends[tp]
                )
            if at is None or lost or self._again:
                at = beginnings[tp]
            # Before anything is awaited: without a position the fetcher gives up.
            self._consumer.seek(tp, at)
            self._committed[tp] = at
        if self._again:  # from now on a crash must not bring the old place back
            await self._consumer.commit(dict(self._committed))

    async def _positions(self) -> dict[TopicPartition, int]:
        return {tp: await self._consumer.position(tp) for tp in self._committed}

    async def _close(self) -> None:
        if self._consumer is not None:
            await consuming.stop(self._consumer)

    def _away(self, error: BaseException) -> LogAway:
        if isinstance(error, KafkaError):
            return LogAway(silence(self._bootstrap, error))
        return LogAway(silence(self._bootstrap, KafkaError("no answer in time")))
