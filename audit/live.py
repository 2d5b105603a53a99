"""The running log and its database, as an audit reads them."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from audit.checkpoint import origins
from audit.source import SealedLog
from audit.tiles import WIDTH, Coordinate, split_hashes
from eventlog.reader import LogReader
from eventlog.record import RawRecord
from eventlog.topics import SEALED
from projections import checkpoints, merkle, signing_keys
from projections.checkpoints import CheckpointRow
from projections.merkle import LeafTile
from projections.signing_keys import KeyRow


class Live:
    """See `audit.source.Source`. `pool` is asyncpg's."""

    complete = False  # what was written since the last checkpoint is there too

    def __init__(self, reader: LogReader, pool: Any, cluster: str, prefix: str) -> None:
        self._reader, self._pool, self._origin_of = reader, pool, origins(cluster, prefix)

    async def logs(self) -> Sequence[SealedLog]:
        return [
            SealedLog(topic, partition, self._origin_of(topic, partition))
            for topic in SEALED
            for partition in await self._reader.partitions(topic)
        ]

    async def length(self, topic: str, partition: int) -> int:
        beginning, end = await self._reader.beginning_and_end(topic, partition)
        return end - beginning

    async def records(self, topic: str, partition: int) -> AsyncGenerator[list[RawRecord], None]:
        _, end = await self._reader.beginning_and_end(topic, partition)
        async with aclosing(self._reader.batches(topic, partition, 0, end)) as batches:
            async for batch in batches:
                yield batch

    async def leaves(self, topic: str, partition: int) -> int | None:
        async with self._pool.acquire() as connection:
            last = await merkle.last_leaves(connection, topic, partition)
        return last.end if last else 0

    async def leaf_hashes(self, topic: str, partition: int, first: int, count: int) -> list[bytes]:
        tile, skip = divmod(first, WIDTH)
        async with self._pool.acquire() as connection:
            found = await merkle.packed_leaves(
                connection, topic, partition, tile, (skip + count + WIDTH - 1) // WIDTH
            )
        hashes = [h for packed in found for h in split_hashes(packed)]
        return hashes[skip : skip + count]

    async def upper_tiles(self, topic: str, partition: int) -> tuple[dict[Coordinate, bytes], list[LeafTile]]:
        async with self._pool.acquire() as connection:
            leaves = await merkle.spans(connection, topic, partition)
            return await merkle.upper_tiles(connection, topic, partition), leaves

    async def keys(self) -> list[KeyRow] | None:
        async with self._pool.acquire() as connection:
            return await signing_keys.announced(connection)

    async def kept(self, topic: str, partition: int) -> list[CheckpointRow] | None:
        async with self._pool.acquire() as connection:
            return await checkpoints.at_least(connection, topic, partition)
