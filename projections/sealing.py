"""Which logs are sealed no more, and why: kept in Postgres, so that `moot status` sees it from anywhere."""

from collections.abc import Sequence
from dataclasses import dataclass

from projections.fence import Connection


@dataclass(frozen=True, slots=True)
class Stopped:
    """A log that is sealed no more; the topic of checkpoints stands for all, where nothing can be signed."""

    topic: str
    partition: int
    reason: str


async def stop(connection: Connection, log: Stopped) -> None:
    """Keep the reason; of several the first."""
    await connection.execute(
        "INSERT INTO sealing_stopped (topic, partition, reason, stopped_at) VALUES ($1, $2, $3, now())"
        " ON CONFLICT DO NOTHING",
        log.topic,
        log.partition,
        log.reason,
    )


async def forget(connection: Connection, topics: Sequence[str]) -> None:
    """Before a sealer looks at every log of these topics anew."""
    await connection.execute("DELETE FROM sealing_stopped WHERE topic = ANY($1::text[])", list(topics))


async def stopped(connection: Connection) -> list[Stopped]:
    """In the order of their names."""
    rows = await connection.fetch("SELECT topic, partition, reason FROM sealing_stopped ORDER BY 1, 2")
    return [Stopped(*row) for row in rows]
