"""What stands parked, as whoever lets it go on or gives it up has to know it."""

from dataclasses import dataclass

from projections.fence import Connection

_ONE = "SELECT id, topic, partition, log_offset, stream, kind FROM dead_letter WHERE id = $1"
_HEADS = "SELECT DISTINCT topic, partition, stream FROM dead_letter WHERE stream IS NOT NULL ORDER BY 1, 2, 3"
_DISCARDS_READ = """
SELECT next_offset FROM projection_offset
WHERE projection = 'deadletters' AND topic = 'deadletters' AND partition = $1
"""


@dataclass(frozen=True, slots=True)
class Parked:
    """One parked record; `stream` is None where it names none."""

    id: str
    topic: str
    partition: int
    offset: int
    stream: str | None
    kind: str


async def parked(connection: Connection, letter: str, *, hold: bool = False) -> Parked | None:
    """The record of this id; with `hold`, nobody else changes its row until the transaction ends."""
    row = await connection.fetchrow(_ONE + (" FOR UPDATE" if hold else ""), letter)
    return Parked(*row) if row else None


async def streams(connection: Connection) -> dict[tuple[str, int], list[str]]:
    """Every stream that stands still, by topic and partition."""
    places: dict[tuple[str, int], list[str]] = {}
    for row in await connection.fetch(_HEADS):
        places.setdefault((row["topic"], row["partition"]), []).append(row["stream"])
    return places


async def discards_read(connection: Connection, partition: int) -> int:
    """Up to which offset of this partition of the topic `deadletters` discards are in effect."""
    return await connection.fetchval(_DISCARDS_READ, partition) or 0
