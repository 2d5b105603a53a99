"""What is asked of the read table of shared context."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from domain.context.state import Entry
from projections.context_entry import CONTEXT_ENTRY, from_row
from projections.queries import Queries
from projections.tables import STAMPS

_HELD = ", ".join(column.name for column in list(CONTEXT_ENTRY.columns)[STAMPS:])
_ENTRIES = f"SELECT stream, {_HELD} FROM context_entry WHERE stream = ANY($1::text[])"  # noqa: S608 # our columns
_NEWEST = """
SELECT max(newest_at) AS newest_at FROM projection_offset WHERE projection = 'context' AND topic = $1
"""
_BEGINNING = "SELECT partition, first_offset FROM context_entry WHERE stream = $1"


class Beginning(NamedTuple):
    """Where the first record of a key lies."""

    partition: int
    offset: int


class ContextQueries(Queries):
    """As `Queries`: it connects when it is first asked, and raises OSError when it cannot be asked now."""

    async def entries(self, streams: Sequence[str]) -> dict[str, Entry]:
        """What their regions have of these keys, as far as it is projected; unknown ones are left out."""
        rows = await self._rows(_ENTRIES, list(streams))
        return {row["stream"]: from_row(tuple(row)[1:]).entry for row in rows}

    async def newest(self, topic: str) -> datetime | None:
        """The time of the newest event of a region's topic that is projected; None before the first."""
        found: Any = (await self._rows(_NEWEST, topic))[0]["newest_at"]
        return None if found is None else found.astimezone(UTC)

    async def beginning(self, stream: str) -> Beginning | None:
        """From where on the log holds records of a key; None where none is projected."""
        found = await self._rows(_BEGINNING, stream)
        return Beginning(*found[0]) if found else None
