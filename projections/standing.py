"""How far the projections are, all of them in one look."""

from projections.fence import Connection
from projections.registry import BY_NAME


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
