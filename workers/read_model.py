"""What running decisions ask of Postgres: whether a stream is known, and what voters stand at."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import asyncpg

from activities.ports import Standing
from domain.consensus.reputation import standing

_CONNECT_SECONDS = 2.0
_QUERY_SECONDS = 5.0

_LAST_EVENT = """
SELECT last_id FROM deliberation WHERE stream = $1
UNION ALL SELECT last_id FROM docket WHERE stream = $1
"""
_SUMS = """
SELECT voter, right_weight, wrong_weight FROM reputation WHERE topic = $1 AND voter = ANY($2::text[])
"""
_ABOUT = "stream, status, question, topic, region, docket, item"
_SHOWN = f"{_ABOUT}, consensus, agreement, rounds, opened_at, decided_at"
_NEWEST = f"""
SELECT {_SHOWN} FROM deliberation
WHERE $1::text IS NULL OR status = $1 ORDER BY opened_at DESC, stream LIMIT $2
"""  # noqa: S608 # columns named above
_ONE = f"SELECT {_SHOWN} FROM deliberation WHERE stream = $1"  # noqa: S608 # columns named above


class ReadModel:
    """An async context manager that connects when it is first asked: no decision waits for Postgres."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool: Any = None

    async def __aenter__(self) -> Self:
        self._pool = await asyncpg.create_pool(
            self._url, min_size=0, max_size=4, timeout=_CONNECT_SECONDS, command_timeout=_QUERY_SECONDS
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.terminate()

    async def last_event(self, stream: str) -> str | None:
        """The id of the newest projected event of `stream`; see `activities.ports.Streams`."""
        rows = await self._rows(_LAST_EVENT, stream)
        return str(rows[0]["last_id"]) if rows else None

    async def standings(self, topic: str, voters: Sequence[str], at: float) -> Mapping[str, Standing]:
        """See `activities.ports.Reputations`."""
        rows = await self._rows(_SUMS, topic, list(voters))
        return {
            row["voter"]: Standing(*standing(int(row["right_weight"]), int(row["wrong_weight"]), at))
            for row in rows
        }

    async def deliberations(self, limit: int, status: str | None = None) -> list[dict[str, Any]]:
        """The newest `limit` deliberations, of one status or of any."""
        return [_jsonable(row) for row in await self._rows(_NEWEST, status, limit)]

    async def deliberation(self, stream: str) -> dict[str, Any] | None:
        """One deliberation, or None where none is known."""
        rows = await self._rows(_ONE, stream)
        return _jsonable(rows[0]) if rows else None

    async def _rows(self, query: str, *arguments: object) -> list[Any]:
        try:
            return list(await self._pool.fetch(query, *arguments))
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            # One kind of error for "cannot be asked now", so that activities need to know no driver.
            raise OSError(f"the read model cannot be asked: {type(error).__name__}: {error}") from error


def _jsonable(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}
