"""How far the log and the read tables are, asked from outside, by someone who waits for no server long."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

import asyncpg

from eventlog.reader import LogReader
from workers.settings import Settings

_ANSWER_WITHIN = 1.0  # seconds
_LOOK_EVERY = 0.05  # seconds
_AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
_PROJECTED = "SELECT sum(next_offset) FROM projection_offset WHERE topic = 'decisions' AND projection = $1"

_SEALED = """
SELECT coalesce(sum(size), 0) FROM (
  SELECT max(size) AS size FROM checkpoint WHERE topic = 'decisions' GROUP BY partition
) AS newest
"""

Position = Callable[[], Awaitable[int | None]]


class Positions:
    """Sums over the partitions of `decisions`; None where the server does not answer now."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._reader = LogReader(settings.kafka, settings.topic_prefix)
        self._partitions: list[int] = []

    async def __aenter__(self) -> Self:
        await self._reader.__aenter__()
        self._partitions = await self._reader.partitions("decisions")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._reader.__aexit__(kind, error, trace)

    async def written(self) -> int | None:
        """How many records are on the log."""
        try:
            async with asyncio.timeout(_ANSWER_WITHIN):
                found = [await self._reader.beginning_and_end("decisions", p) for p in self._partitions]
        except _AWAY:
            return None
        return sum(end for _, end in found)

    async def projected(self) -> int | None:
        """How many of them are committed to Postgres."""
        return await self._asked(_PROJECTED, "consensus")

    async def sealed(self) -> int | None:
        """How many of them a signed checkpoint covers."""
        return await self._asked(_SEALED)

    async def _asked(self, query: str, *arguments: str) -> int | None:
        try:
            connection = await asyncpg.connect(self._settings.database_url, timeout=_ANSWER_WITHIN)
            try:
                return int(await connection.fetchval(query, *arguments) or 0)
            finally:
                connection.terminate()
        except _AWAY:
            return None


async def until(
    holds: Callable[[], Awaitable[bool]], what: str, within: float = 60.0, why: Callable[[], Any] = str
) -> None:
    """Return as soon as `holds` says so; look often. `why` adds to what is said when it never does."""
    ends = time.monotonic() + within
    while not await holds():
        assert time.monotonic() < ends, f"not within {within:g} s: {what} {why()}"
        await asyncio.sleep(_LOOK_EVERY)


async def caught_up(positions: Positions, within: float = 60.0) -> None:
    """Wait until the read tables hold all that is on the log, and checkpoints cover it."""
    seen: dict[str, int | None] = {}

    async def level() -> bool:
        for position in (positions.written, positions.projected, positions.sealed):
            seen[position.__name__] = await position()
        return seen["written"] is not None and len(set(seen.values())) == 1

    await until(level, "everything on the log is projected and sealed", within, lambda: seen)
