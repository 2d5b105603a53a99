"""Merkle tiles in Postgres, grown by the sealer behind its fence, read by proofs and audits.

Topics are logical names. A tree's hashes are opaque here: what they mean is `audit`'s.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from projections import fence
from projections.checkpoints import CheckpointRow, store
from projections.fence import Connection

SEALER = "sealer"  # its name among the projections that have a fence
Coordinate = tuple[int, int]  # level, number of the tile
_HASH = 32
_WIDTH = 256

_WANTED = """
SELECT t.level, t.tile, t.hashes FROM merkle_tile AS t
JOIN unnest($3::smallint[], $4::bigint[]) AS wanted (level, tile) USING (level, tile)
WHERE t.topic = $1 AND t.partition = $2
"""
_LAST = """
SELECT tile, length(hashes) AS bytes, first_offset, last_offset FROM merkle_tile
WHERE topic = $1 AND partition = $2 AND level = 0 ORDER BY tile DESC LIMIT 1
"""
_AROUND = """
SELECT tile, length(hashes) AS bytes, first_offset, last_offset FROM merkle_tile
WHERE topic = $1 AND partition = $2 AND level = 0 AND first_offset <= $3 ORDER BY tile DESC LIMIT 1
"""
_STORE = """
INSERT INTO merkle_tile (topic, partition, level, tile, hashes, first_offset, last_offset)
SELECT $1, $2, * FROM unnest($3::smallint[], $4::bigint[], $5::bytea[], $6::bigint[], $7::bigint[])
ON CONFLICT (topic, partition, level, tile) DO UPDATE SET hashes = excluded.hashes,
  first_offset = coalesce(merkle_tile.first_offset, excluded.first_offset), last_offset = excluded.last_offset
"""


@dataclass(frozen=True, slots=True)
class LeafTile:
    """A tile of level 0: its number, how many leaves it holds, the offsets of its first and last record."""

    tile: int
    leaves: int
    first_offset: int
    last_offset: int

    @property
    def end(self) -> int:
        """The number of the leaf after its last."""
        return self.tile * _WIDTH + self.leaves


@dataclass(frozen=True, slots=True)
class Growth:
    """What one batch of records adds to a partition's tree.

    `spans` gives, for a tile of level 0, the offsets of the first and last record that this batch put there.
    """

    next_offset: int
    newest_ms: int
    tiles: Mapping[Coordinate, bytes]
    spans: Mapping[int, tuple[int, int]]
    checkpoint: CheckpointRow | None


async def position(connection: Connection, topic: str, partition: int) -> fence.Position:
    """The sealer's fence on one partition."""
    await fence.enter(connection, topic, partition, [SEALER])
    return await fence.position(connection, topic, partition, [SEALER])


async def commit(connection: Connection, at: fence.Position, growth: Growth) -> fence.Position:
    """Store a batch's growth in one transaction behind the fence.

    Raises:
        projections.fence.FenceLost: the partition no longer stands at `at`; nothing was stored.
    """
    async with connection.transaction():
        after = await fence.advance(connection, at, growth.next_offset, growth.newest_ms)
        nowhere = (None, None)
        spans = [nowhere if level else growth.spans.get(tile, nowhere) for level, tile in growth.tiles]
        await connection.execute(
            _STORE,
            at.topic,
            at.partition,
            [level for level, _ in growth.tiles],
            [tile for _, tile in growth.tiles],
            list(growth.tiles.values()),
            [first for first, _ in spans],
            [last for _, last in spans],
        )
        if growth.checkpoint is not None:
            await store(connection, [growth.checkpoint])
    return after


async def last_leaves(connection: Connection, topic: str, partition: int) -> LeafTile | None:
    """The tile at the right edge; None while nothing was sealed."""
    row = await connection.fetchrow(_LAST, topic, partition)
    return _leaf_tile(row) if row else None


async def leaves_around(connection: Connection, topic: str, partition: int, offset: int) -> LeafTile | None:
    """The tile whose records lie around `offset`; None where it is not sealed yet."""
    row = await connection.fetchrow(_AROUND, topic, partition, offset)
    return _leaf_tile(row) if row and row["last_offset"] >= offset else None


def _leaf_tile(row: Any) -> LeafTile:
    return LeafTile(row["tile"], row["bytes"] // _HASH, row["first_offset"], row["last_offset"])


async def tiles(
    connection: Connection, topic: str, partition: int, wanted: Iterable[Coordinate]
) -> dict[Coordinate, bytes]:
    """Those of the `wanted` tiles that are stored."""
    pairs = list(wanted)
    levels, numbers = [level for level, _ in pairs], [number for _, number in pairs]
    rows = await connection.fetch(_WANTED, topic, partition, levels, numbers)
    return {(row["level"], row["tile"]): row["hashes"] for row in rows}


async def spans(connection: Connection, topic: str, partition: int) -> list[LeafTile]:
    """What every tile of level 0 says of its records, in order."""
    rows = await connection.fetch(
        "SELECT tile, length(hashes) AS bytes, first_offset, last_offset FROM merkle_tile"
        " WHERE topic = $1 AND partition = $2 AND level = 0 ORDER BY tile",
        topic,
        partition,
    )
    return [_leaf_tile(row) for row in rows]


async def upper_tiles(connection: Connection, topic: str, partition: int) -> dict[Coordinate, bytes]:
    """Every tile above level 0: one for 65,536 records, and a few at the edge."""
    rows = await connection.fetch(
        "SELECT level, tile, hashes FROM merkle_tile WHERE topic = $1 AND partition = $2 AND level > 0",
        topic,
        partition,
    )
    return {(row["level"], row["tile"]): row["hashes"] for row in rows}


async def packed_leaves(
    connection: Connection, topic: str, partition: int, first: int, count: int
) -> list[bytes]:
    """The hashes of at most `count` tiles of level 0 from number `first` on."""
    rows = await connection.fetch(
        "SELECT hashes FROM merkle_tile"
        " WHERE topic = $1 AND partition = $2 AND level = 0 AND tile >= $3 ORDER BY tile LIMIT $4",
        topic,
        partition,
        first,
        count,
    )
    return [row["hashes"] for row in rows]
