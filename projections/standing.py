"""How far the projections are, all of them in one look."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from projections import sealing
from projections.fence import Connection
from projections.merkle import SEALER
from projections.registry import BY_NAME

Place = tuple[str, int]

# Without the checkpoints, which the sealer takes in when it starts: what it wrote since is no lag of its own.
_OFFSETS = """
SELECT projection, topic, partition, next_offset, newest_at, refused FROM projection_offset
WHERE topic <> 'checkpoints' ORDER BY 1, 2, 3
"""
_LAST_CHECKPOINT = "SELECT topic, partition, size, sealed_at FROM checkpoint ORDER BY sealed_at DESC LIMIT 1"
_FLEET = """
SELECT region, count(*) FILTER (WHERE left_at IS NULL) AS hosts,
  coalesce(sum(clients) FILTER (WHERE left_at IS NULL), 0) AS clients,
  count(*) FILTER (WHERE left_at IS NOT NULL) AS gone
FROM fleet_host WHERE announced_at IS NOT NULL GROUP BY region ORDER BY region
"""
_CLIENTS = """
SELECT count(DISTINCT client_addr) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = $1
"""


@dataclass(frozen=True, slots=True)
class Stand:
    """How far each log is `sealed`, and those that are projected (`refused`) or sealed no further."""

    sealed: Mapping[Place, int]
    refused: frozenset[Place]
    stopped: frozenset[Place]


async def at_a_stand(connection: Connection) -> Stand:
    """What a metric shows of it."""
    rows = await connection.fetch(_OFFSETS)
    sealed = [row for row in rows if row["projection"] == SEALER]
    return Stand(
        {(row["topic"], row["partition"]): row["next_offset"] for row in sealed},
        frozenset((row["topic"], row["partition"]) for row in rows if row["refused"]),
        frozenset((log.topic, log.partition) for log in await sealing.stopped(connection)),
    )


async def standing(connection: Connection) -> dict[tuple[str, int], dict[str, int]]:
    """The next offset of every projection, by topic and partition."""
    rows = await connection.fetch(
        "SELECT topic, partition, projection, next_offset FROM projection_offset"
        " WHERE projection = ANY($1::text[]) ORDER BY topic, partition, projection",
        [*BY_NAME],
    )
    found: dict[tuple[str, int], dict[str, int]] = {}
    for row in rows:
        found.setdefault((row["topic"], row["partition"]), {})[row["projection"]] = row["next_offset"]
    return found


async def report(connection: Connection, application: str) -> dict[str, Any]:
    """For `moot status`: all `offsets`, the last `checkpoint`, `parked` records, `clients` of that name.

    `stopped` are the logs that are sealed no more; `fleet`, by region, how many node processes are announced,
    for how many clients, and how many of them have left.

    Raises:
        asyncpg.UndefinedTableError: one of `projections.connection.NOT_MIGRATED`.
    """
    last = await connection.fetchrow(_LAST_CHECKPOINT)
    return {
        "offsets": await connection.fetch(_OFFSETS),
        "checkpoint": dict(last) if last else None,
        "parked": await connection.fetchval("SELECT count(*) FROM dead_letter"),
        "stopped": await sealing.stopped(connection),
        "clients": await connection.fetchval(_CLIENTS, application),
        "fleet": [dict(row) for row in await connection.fetch(_FLEET)],
    }
