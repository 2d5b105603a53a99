"""Signed checkpoints in Postgres: kept in the transaction that seals, marked once the topic has them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from projections.fence import Connection

_SELECT = "SELECT topic, partition, size, root, note, sealed_at, version, published FROM checkpoint"


@dataclass(frozen=True, slots=True)
class CheckpointRow:
    """A signed tree head; `published` says that the topic `checkpoints` is known to have it."""

    topic: str
    partition: int
    size: int
    root: bytes
    note: str
    sealed_at: datetime
    version: int
    published: bool


async def store(connection: Connection, rows: Sequence[CheckpointRow]) -> None:
    """Keep signed tree heads; one that is known already is marked as published where the new one is."""
    await connection.executemany(
        "INSERT INTO checkpoint (topic, partition, size, root, note, sealed_at, version, published)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (topic, partition, size)"
        " DO UPDATE SET published = checkpoint.published OR excluded.published",
        [(r.topic, r.partition, r.size, r.root, r.note, r.sealed_at, r.version, r.published) for r in rows],
    )


async def kept(connection: Connection, rows: Sequence[CheckpointRow]) -> list[CheckpointRow]:
    """Those of `rows` that are here already with the same note."""
    found = await connection.fetch(
        "SELECT c.topic, c.partition, c.size, c.note FROM checkpoint AS c"
        " JOIN unnest($1::text[], $2::smallint[], $3::bigint[]) AS wanted (topic, partition, size)"
        " USING (topic, partition, size)",
        [row.topic for row in rows],
        [row.partition for row in rows],
        [row.size for row in rows],
    )
    notes = {tuple(row) for row in found}
    return [row for row in rows if (row.topic, row.partition, row.size, row.note) in notes]


async def at_least(connection: Connection, topic: str, partition: int, least: int = 0) -> list[CheckpointRow]:
    """The kept checkpoints of at least `least` records, ascending by size."""
    rows = await connection.fetch(
        _SELECT + " WHERE topic = $1 AND partition = $2 AND size >= $3 ORDER BY size",
        topic,
        partition,
        least,
    )
    return [CheckpointRow(*row) for row in rows]


async def newest(
    connection: Connection, topic: str, partition: int, *, published: bool = False
) -> CheckpointRow | None:
    """The largest one; with `published`, of those that the topic has."""
    row = await connection.fetchrow(
        _SELECT + " WHERE topic = $1 AND partition = $2 AND (published OR NOT $3) ORDER BY size DESC LIMIT 1",
        topic,
        partition,
        published,
    )
    return CheckpointRow(*row) if row else None


async def ends(connection: Connection) -> list[CheckpointRow]:
    """The largest one of every log, whether the topic has it or not."""
    rows = await connection.fetch(
        _SELECT.replace("SELECT", "SELECT DISTINCT ON (topic, partition)")
        + " ORDER BY topic, partition, size DESC"
    )
    return [CheckpointRow(*row) for row in rows]


async def unpublished(connection: Connection) -> list[CheckpointRow]:
    """What was signed and kept, and may not have reached the topic: oldest first."""
    rows = await connection.fetch(_SELECT + " WHERE NOT published ORDER BY topic, partition, size")
    return [CheckpointRow(*row) for row in rows]


async def mark_published(connection: Connection, rows: Sequence[CheckpointRow]) -> None:
    await connection.executemany(
        "UPDATE checkpoint SET published = true WHERE topic = $1 AND partition = $2 AND size = $3",
        [(row.topic, row.partition, row.size) for row in rows],
    )
