"""The sealer: follows every sealed partition, keeps its Merkle tiles, signs and publishes checkpoints.

It reads raw values and decodes nothing but checkpoints. A batch's tiles, its checkpoint and the next offset
are one transaction behind a fence, so a sealer may die anywhere, and two may run at once.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import structlog

from audit import announced, key, published
from audit.checkpoint import origins
from audit.key_chain import KeyChain
from audit.partition_sealer import PartitionSealer, Signer
from audit.seal import SplitView
from audit.signing import Change, announce, configured
from domain.refusal import Refusal
from eventlog.reader import LogReader
from eventlog.record import RetentionLost
from eventlog.topics import SEALED
from eventlog.writer import LogWriter
from projections import checkpoints, sealing
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
        signing_key: str,
        interval: float = 1.0,
    ) -> None:
        self._kafka, self._prefix, self._database_url = kafka, prefix, database_url
        self._cluster, self._place, self._interval = cluster, signing_key, interval
        self._origin = origins(cluster, prefix)
        self.stopped: dict[str, str] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Seal until `stop` is set; while Kafka or Postgres is away it waits and says so."""
        last: dict[str, str] = {}
        while not stop.is_set():
            try:
                async with self._connected() as link:
                    signer = await self._take_in(link)
                    if last:
                        _log.info("sealer.resumed")
                    last = {}
                    await self._seal_until(stop, link, signer)
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

    async def _seal_until(self, stop: asyncio.Event, link: _Link, signer: Signer) -> None:
        async with asyncio.TaskGroup() as group:
            following = [
                group.create_task(self._follow(link, signer, topic, partition))
                for topic in SEALED
                for partition in await link.reader.partitions(topic)
            ]
            await stop.wait()
            for task in following:
                task.cancel()

    async def _take_in(self, link: _Link) -> Signer:
        """What was published before, and the key that may go on.

        Raises:
            Refusal: the key that signed last is not the configured one.
        """
        async with link.pool.acquire() as connection:
            if not self.stopped:
                await sealing.forget(connection, SEALED)
            chain = await announced.load(connection, announced.chain_of(self._cluster, self._prefix))
            with contextlib.suppress(Refusal):  # said where it is to sign
                chain.held = key.load(self._place).verifier
            await self._hold_against_published(connection, link.reader, chain)
            signer = await self._signer(connection, chain)
            await announced.publish(connection, link.writer)
            await published.publish(
                connection, link.writer, await checkpoints.unpublished(connection), self._origin
            )
            return signer

    async def _hold_against_published(
        self, connection: Connection, reader: LogReader, chain: KeyChain
    ) -> None:
        try:
            contradicted = await published.take_in(connection, reader, self._origin, chain)
        except (SplitView, RetentionLost) as lost:  # of the topic of checkpoints: nothing can be compared
            for topic in SEALED:
                for partition in await reader.partitions(topic):
                    await self._stop_sealing(connection, topic, partition, str(lost))
        else:
            for (topic, partition), split in contradicted.items():
                await self._stop_sealing(connection, topic, partition, split.problem)

    async def _signer(self, connection: Connection, chain: KeyChain) -> Signer:
        """The configured key; where none was announced yet it is announced now, and made if it has to be."""
        refused = None
        try:
            if chain.current is None:
                first = key.load_or_make(self._place, self._cluster)
                await announce(connection, chain, Change(first), self._origin)
            return Signer(configured(self._place, chain), len(chain.links))
        except Refusal as refusal:
            refused = refusal.problem
            raise
        finally:
            async with connection.transaction():
                await sealing.forget(connection, [published.TOPIC])
                if refused is not None:
                    await sealing.stop(connection, Stopped(published.TOPIC, 0, refused))

    async def _follow(self, link: _Link, signer: Signer, topic: str, partition: int) -> None:
        origin = self._origin(topic, partition)
        while origin not in self.stopped:
            try:
                await self._seal(link, signer, topic, partition, origin)
            except (SplitView, RetentionLost) as lost:
                problem = lost.problem if isinstance(lost, SplitView) else str(lost)
                async with link.pool.acquire() as connection:
                    await self._stop_sealing(connection, topic, partition, problem)
            except FenceLost:
                _log.info("sealer.fence_lost", origin=origin)
                await asyncio.sleep(self._interval)
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task and task.cancelling():
                    raise
                # A group would take it for an end that was asked for, and nothing would be sealed any more.
                raise RuntimeError("sealing was cancelled by nobody") from None

    async def _seal(self, link: _Link, signer: Signer, topic: str, partition: int, origin: str) -> None:
        # One look at everything: tiles that another sealer stored after the fence was read would not fit it.
        async with link.pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            sealer = await PartitionSealer.load(connection, topic, partition, origin, signer)
            await sealer.check_log(connection, link.reader)
        following = link.reader.batches(topic, partition, sealer.next_offset, max_records=MOST_LEAVES)
        async with contextlib.aclosing(following) as batches:
            async for batch in batches:
                async with link.pool.acquire() as connection:
                    row = await sealer.commit(connection, batch)
                    if row is not None:
                        await published.publish(connection, link.writer, [row], self._origin)
                _, end = await link.reader.beginning_and_end(topic, partition)
                if end - sealer.next_offset < MOST_LEAVES:
                    await asyncio.sleep(self._interval)

    async def _stop_sealing(self, connection: Connection, topic: str, partition: int, reason: str) -> None:
        origin = self._origin(topic, partition)
        _log.error("sealer.split_view", origin=origin, reason=reason)
        await sealing.stop(connection, Stopped(topic, partition, reason))
        self.stopped[origin] = reason


def _said(error: BaseException) -> dict[str, str]:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return {"error": type(error).__name__, "reason": str(error)[:300]}
