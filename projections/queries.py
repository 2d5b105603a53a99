"""What others ask of the read tables, in one place, so that only this package knows how they are made."""

from collections.abc import Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self

import asyncpg

from domain.stream import items_prefix
from eventlog.topics import CATEGORIES
from projections.connection import PLANNED_ANEW, shown

# Seconds to connect, and for a query.
_QUERY_SECONDS = 5.0
_POOL: dict[str, Any] = {"timeout": 2.0, "command_timeout": _QUERY_SECONDS, "server_settings": PLANNED_ANEW}

_LISTED = """
stream, status, question, topic, region, docket, item, consensus, agreement, rounds, opened_at, decided_at
"""
_NEWEST = f"""
SELECT {_LISTED} FROM deliberation
WHERE ($1::text IS NULL OR status = $1) AND ($2::text IS NULL OR topic = $2)
  AND ($3::text IS NULL OR region = $3) AND ($4::text IS NULL OR docket = $4)
ORDER BY opened_at DESC, stream LIMIT $5
"""  # noqa: S608 # columns named above
_DELIBERATION = f"SELECT {_LISTED}, state FROM deliberation WHERE stream = $1"  # noqa: S608 # as above
_DOCKET = """
SELECT stream, status, question, topic, items, decided, opened_at, closed_at, state
FROM docket WHERE stream = $1
"""
# Items are `items_prefix(docket)` and a number, a range of the primary key: after `.` comes `/`.
_DECIDED_IN = """
SELECT count(*) FROM deliberation WHERE stream >= $1 AND stream < $2 AND decided_at IS NOT NULL
"""
_LISTED_CASES = """
stream, status, question, kind, layer, region, topic, severity, critical, level, initial_level, choice,
resolution, opened_at, closed_at
"""
_CASES = f"""
SELECT {_LISTED_CASES} FROM conflict_case
WHERE ($1::text IS NULL OR status = $1) AND ($2::text IS NULL OR region = $2)
  AND ($3::int IS NULL OR level = $3)
ORDER BY opened_at DESC, stream LIMIT $4
"""  # noqa: S608 # columns named above
_CASE = f"SELECT {_LISTED_CASES}, state FROM conflict_case WHERE stream = $1"  # noqa: S608 # as above
_LAST_EVENT = """
SELECT last_id FROM deliberation WHERE stream = $1
UNION ALL SELECT last_id FROM docket WHERE stream = $1
UNION ALL SELECT last_id FROM conflict_case WHERE stream = $1
UNION ALL SELECT last_id FROM learning_cycle WHERE stream = $1
UNION ALL SELECT last_id FROM budget_ledger WHERE stream = $1
UNION ALL SELECT last_id FROM model WHERE stream = $1
"""
_MODELS = """
SELECT stream, active, canary, versions, drifts, changed_at FROM model ORDER BY stream LIMIT $1
"""
_MODEL = "SELECT stream, active, canary, versions, drifts, changed_at, state FROM model WHERE stream = $1"
# One statement sees one moment: the sums are those of just these offsets.
_WEIGHTS = """
SELECT voter, sum(right_weight) AS right_weight, sum(wrong_weight) AS wrong_weight,
  NULL::int AS partition, NULL::bigint AS next_offset
FROM (
  SELECT topic, voter, right_weight, wrong_weight FROM reputation
  UNION ALL SELECT topic, voter, right_weight, wrong_weight FROM case_reputation
) AS said WHERE topic = $1 AND voter = ANY($2::text[]) GROUP BY voter
UNION ALL
SELECT NULL, NULL, NULL, partition, next_offset
FROM projection_offset WHERE projection = 'consensus' AND topic = 'decisions'
"""
_LETTERS = """
SELECT id, projection, topic, partition, log_offset, stream, version, event_id, kind, reason, recorded_at
FROM dead_letter
WHERE ($1::text IS NULL OR id = $1) AND ($2::text IS NULL OR stream = $2) AND (kind <> 'behind' OR $3)
ORDER BY topic, partition, log_offset LIMIT $4
"""
# Applied records lie from the stream's first to its last; parked and discarded ones are named one by one.
_SPAN = """
SELECT partition, min(first) AS first, max(last) + 1 AS end, min(next_offset) AS read_to FROM (
  SELECT partition, first_offset AS first, last_offset AS last FROM deliberation WHERE stream = $1
  UNION ALL SELECT partition, first_offset, last_offset FROM docket WHERE stream = $1
  UNION ALL SELECT partition, first_offset, last_offset FROM conflict_case WHERE stream = $1
  UNION ALL SELECT partition, first_offset, last_offset FROM learning_cycle WHERE stream = $1
  UNION ALL SELECT partition, log_offset, log_offset FROM dead_letter WHERE stream = $1 AND topic = $2
  UNION ALL SELECT discarded_partition, discarded_offset, discarded_offset FROM discard
  WHERE discarded_stream = $1 AND discarded_topic = $2
) AS record JOIN projection_offset USING (partition)
WHERE projection IN ('consensus', 'docket', 'conflict', 'learning') AND topic = $2
GROUP BY partition
"""
_BEHIND = "SELECT count(*) FROM dead_letter WHERE stream = $1 AND kind = 'behind'"


class Span(NamedTuple):
    """A stream's records lie from offset `first` to before `end`; from `read_to` on nobody looked yet."""

    partition: int
    first: int
    end: int
    read_to: int


class Queries:
    """An async context manager that connects when it is first asked.

    Every method raises OSError when the database cannot be asked now.
    """

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._pool: Any = None

    async def __aenter__(self) -> Self:
        self._pool = await asyncpg.create_pool(self._url, min_size=0, max_size=4, **_POOL)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.terminate()

    async def last_event(self, stream: str) -> str | None:
        """The id of the newest projected event of a stream."""
        found = await self._rows(_LAST_EVENT, stream)
        return str(found[0]["last_id"]) if found else None

    async def span(self, stream: str) -> Span | None:
        """Where a stream's records lie, as far as the log is projected; None if unknown.

        Of the streams of the shared context, models and budgets nothing is known here.
        """
        topic = CATEGORIES.get(stream.partition("/")[0])
        found = await self._rows(_SPAN, stream, topic)
        return Span(*found[0]) if len(found) == 1 else None

    async def weights(
        self, topic: str, voters: Sequence[str]
    ) -> tuple[dict[str, tuple[int, int]], tuple[int, ...]]:
        """What rulings said of voters, right and wrong, as `domain.consensus.reputation` sums it.

        Then the offset below which every ruling is in these sums, for each partition of the topic.
        """
        found = await self._rows(_WEIGHTS, topic, list(voters))
        read = {row["partition"]: row["next_offset"] for row in found if row["voter"] is None}
        sums = [row for row in found if row["voter"] is not None]
        return (
            {row["voter"]: (int(row["right_weight"]), int(row["wrong_weight"])) for row in sums},
            tuple(read.get(partition, 0) for partition in range(max(read, default=-1) + 1)),
        )

    async def deliberations(
        self,
        limit: int,
        status: str | None = None,
        *,
        topic: str | None = None,
        region: str | None = None,
        docket: str | None = None,
    ) -> list[dict[str, Any]]:
        """The newest `limit` deliberations, without their state."""
        return [dict(row) for row in await self._rows(_NEWEST, status, topic, region, docket, limit)]

    async def deliberation(self, stream: str) -> dict[str, Any] | None:
        """One deliberation, `state` as JSON text; None where none is known."""
        return await self._one(_DELIBERATION, stream)

    async def docket(self, stream: str) -> dict[str, Any] | None:
        """One docket, `state` as JSON text; None where none is known."""
        return await self._one(_DOCKET, stream)

    async def cases(
        self, limit: int, status: str | None = None, *, region: str | None = None, level: int | None = None
    ) -> list[dict[str, Any]]:
        """The newest `limit` conflict cases, without their events."""
        return [dict(row) for row in await self._rows(_CASES, status, region, level, limit)]

    async def case(self, stream: str) -> dict[str, Any] | None:
        """One conflict case, its events as JSON text in `state`; None where none is known."""
        return await self._one(_CASE, stream)

    async def models(self, limit: int) -> list[dict[str, Any]]:
        """Models by name, without their versions."""
        return [dict(row) for row in await self._rows(_MODELS, limit)]

    async def model(self, stream: str) -> dict[str, Any] | None:
        """One model, `state` (a `ModelState`) as JSON text; None where none is known."""
        return await self._one(_MODEL, stream)

    async def decided_in(self, docket: str) -> int:
        """How many items of a docket are decided, as far as the log is projected."""
        first = items_prefix(docket)
        return int((await self._rows(_DECIDED_IN, first, f"{first[:-1]}/"))[0][0])

    async def dead_letters(
        self, limit: int, *, stream: str | None = None, behind: bool = False
    ) -> list[dict[str, Any]]:
        """Parked records in the log's order, with or without those that only wait behind another."""
        return [dict(row) for row in await self._rows(_LETTERS, None, stream, behind, limit)]

    async def dead_letter(self, letter: str) -> dict[str, Any] | None:
        """One parked record; `waiting` says how many wait behind it."""
        found = await self._one(_LETTERS, letter, None, True, 1)
        if found is None:
            return None
        waiting = (await self._rows(_BEHIND, found["stream"]))[0][0] if found["stream"] else 0
        return {**found, "waiting": waiting}

    async def _one(self, query: str, *arguments: object) -> dict[str, Any] | None:
        found = await self._rows(query, *arguments)
        return dict(found[0]) if found else None

    async def _rows(self, query: str, *arguments: object, within: float = _QUERY_SECONDS) -> list[Any]:
        try:
            return list(await self._pool.fetch(query, *arguments, timeout=within))
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            # One kind of error for "cannot be asked now", so that callers need to know no driver.
            raise OSError(f"the read tables cannot be asked: {type(error).__name__}: {error}") from error
        except TimeoutError as error:  # the driver's has no words
            raise TimeoutError(f"Postgres at {shown(self._url)} does not answer") from error
