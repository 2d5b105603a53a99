"""The sealer: follows every sealed partition, keeps its Merkle tiles, signs and publishes checkpoints.

It reads raw values and decodes nothing but checkpoints. A batch's tiles, its checkpoint and the next offset
are one transaction behind a fence, so a sealer may die anywhere, and two may run at once.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from audit import published
from audit.checkpoint import origin_of
from audit.note import SigningKey
from audit.partition_sealer import PartitionSealer
from audit.seal import SplitView
from eventlog.reader import LogReader
from eventlog.record import RetentionLost
from eventlog.topics import kafka_name
from eventlog.writer import LogWriter
from projections import checkpoints, sealing
from projections.checkpoints import CheckpointRow
from projections.connection import pool
from projections.fence import Connection, FenceLost
from projections.sealing import Stopped

_log = structlog.get_logger(__name__)

MOST_LEAVES = 4096  # a checkpoint covers at most so many new records
_BACKOFF = 1.0  # seconds between two tries to reach Kafka and Postgres
_FETCH_BYTES = 1 << 20
_CONNECTIONS = 2


@dataclass(frozen=True, slots=True)
class _Link:
    """What a sealer is connected to."""

    pool: Any  # asyncpg's pool is generic in its stubs only
    reader: LogReader
    writer: LogWriter


class Sealer:
    """Seals the partitions of `decisions`, `fleet` and `deadletters`.

    A record is sealed as it comes; then its partition rests for `interval` seconds, unless `MOST_LEAVES`
    wait, so that a checkpoint is worth its signature. `stopped` names the logs that are sealed no more, each
    with its reason.
    """

    def __init__(
        self,
        *,
        kafka: str,
        prefix: str,
        database_url: str,
        cluster: str,
        key: SigningKey,
        interval: float = 1.0,
    ) -> None:
        self._kafka, self._prefix, self._database_url = kafka, prefix, database_url
        self._cluster, self._key, self._interval = cluster, key, interval
        self.stopped: dict[str, str] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Seal until `stop` is set; while Kafka or Postgres is away it waits and says so."""
        last: dict[str, str] = {}
        while not stop.is_set():
            try:
                async with self._connected() as link:
                    await self._take_in(link)
                    if last:
                        _log.info("sealer.resumed")
                    last = {}
                    await self._seal_until(stop, link)
            except Exception as error:  # noqa: BLE001 # whatever it was, the records wait to be sealed
                if (said := _said(error)) != last:  # once for as long as it lasts
                    _log.warning("sealer.interrupted", **said)
                last = said
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), _BACKOFF)

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[_Link]:
        async with (
            pool(self._database_url, most=_CONNECTIONS) as connections,
            LogReader(self._kafka, self._prefix, fetch_bytes=_FETCH_BYTES) as reader,
            LogWriter(self._kafka, self._prefix) as writer,
        ):
            yield _Link(connections, reader, writer)

    async def _seal_until(self, stop: asyncio.Event, link: _Link) -> None:
        async with asyncio.TaskGroup() as group:
            following = [
                group.create_task(self._follow(link, topic, partition))
                for topic in published.SEALED
                for partition in await link.reader.partitions(topic)
            ]
            await stop.wait()
            for task in following:
                task.cancel()

    async def _take_in(self, link: _Link) -> None:
        async with link.pool.acquire() as connection:
            if not self.stopped:
                await sealing.forget(connection)
            try:
                contradicted = await published.take_in(
                    connection, link.reader, self._origin, [self._key.verifier]
                )
            except (SplitView, RetentionLost) as lost:  # of the topic of checkpoints: nothing can be compared
                for topic in published.SEALED:
                    for partition in await link.reader.partitions(topic):
                        await self._stop_sealing(connection, topic, partition, str(lost))
                return
            for (topic, partition), split in contradicted.items():
                await self._stop_sealing(connection, topic, partition, split.problem)
            await self._publish(connection, link.writer, await checkpoints.unpublished(connection))

    async def _follow(self, link: _Link, topic: str, partition: int) -> None:
        origin = self._origin(topic, partition)
        while origin not in self.stopped:
            try:
                await self._seal(link, topic, partition, origin)
            except (SplitView, RetentionLost) as lost:
                problem = lost.problem if isinstance(lost, SplitView) else str(lost)
                async with link.pool.acquire() as connection:
                    await self._stop_sealing(connection, topic, partition, problem)
            except FenceLost:
                _log.info("sealer.fence_lost", origin=origin)
                await asyncio.sleep(self._interval)

    async def _seal(self, link: _Link, topic: str, partition: int, origin: str) -> None:
        # One look at everything: tiles that another sealer stored after the fence was read would not fit it.
        async with link.pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            sealer = await PartitionSealer.load(connection, topic, partition, origin, self._key)
            await sealer.check_log(connection, link.reader)
        following = link.reader.batches(topic, partition, sealer.next_offset, max_records=MOST_LEAVES)
        async with contextlib.aclosing(following) as batches:
            async for batch in batches:
                async with link.pool.acquire() as connection:
                    row = await sealer.commit(connection, batch)
                    if row is not None:
                        await self._publish(connection, link.writer, [row])
                _, end = await link.reader.beginning_and_end(topic, partition)
                if end - sealer.next_offset < MOST_LEAVES:
                    await asyncio.sleep(self._interval)

    async def _publish(
        self, connection: Connection, writer: LogWriter, rows: Sequence[CheckpointRow]
    ) -> None:
        """Rows in the order of their numbers; a crash in here only sends the same events again."""
        events = [published.to_event(row, self._origin(row.topic, row.partition)) for row in rows]
        await writer.append(published.TOPIC, events)
        await checkpoints.mark_published(connection, rows)

    def _origin(self, topic: str, partition: int) -> str:
        return origin_of(self._cluster, kafka_name(self._prefix, topic), partition)

    async def _stop_sealing(self, connection: Connection, topic: str, partition: int, reason: str) -> None:
        origin = self._origin(topic, partition)
        _log.error("sealer.split_view", origin=origin, reason=reason)
        await sealing.stop(connection, Stopped(topic, partition, reason))
        self.stopped[origin] = reason


def _said(error: BaseException) -> dict[str, str]:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return {"error": type(error).__name__, "reason": str(error)[:300]}
