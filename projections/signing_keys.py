"""The announced signing keys in Postgres: only the last one signs, and meanwhile no other is announced."""

from dataclasses import dataclass
from datetime import datetime

from projections.fence import Connection


@dataclass(frozen=True, slots=True)
class KeyRow:
    """The signed statement of the key `number`; `published` says that the topic is known to have it."""

    number: int
    note: str
    announced_at: datetime
    published: bool


async def announced(connection: Connection) -> list[KeyRow]:
    """All of them, in order."""
    rows = await connection.fetch("SELECT number, note, announced_at, published FROM signing_key ORDER BY 1")
    return [KeyRow(*row) for row in rows]


async def keep(connection: Connection, row: KeyRow) -> None:
    """Keep a statement; one that is known already is marked as published where the new one is."""
    await connection.execute(
        "INSERT INTO signing_key (number, note, announced_at, published) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (number) DO UPDATE SET published = signing_key.published OR excluded.published",
        row.number,
        row.note,
        row.announced_at,
        row.published,
    )


async def hold(connection: Connection) -> int:
    """The number of the last key, which stays the last until the transaction ends; 0 where there is none."""
    await connection.execute("LOCK TABLE signing_key IN SHARE MODE")
    found: int = await connection.fetchval("SELECT coalesce(max(number), 0) FROM signing_key")
    return found


async def claim(connection: Connection) -> None:
    """Let nobody sign or announce until the transaction ends."""
    await connection.execute("LOCK TABLE signing_key IN EXCLUSIVE MODE")
