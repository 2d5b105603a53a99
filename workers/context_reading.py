"""A key as a reader in one region finds it: the read table, joined with what the node itself has."""

import asyncio
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self, TypeVar

from domain.context.events import Written
from domain.context.rules.conflict import Resolution
from domain.context.state import Entry, join
from domain.context.view import view
from projections.context_queries import ContextQueries
from workers.deciding import Rules

ASKED_WITHIN = 2.0  # seconds
_LEFT_ALONE = 5.0  # seconds in which a database that did not answer is not asked again

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Found:
    """What `region` has of a key.

    `present`: there is a value, and it is `value`, which may be null. `siblings` are the writes it rests on,
    the latest first; `resolution` what the layer's rule made of more than one. `version` is what a put takes
    as `if_version`. `awaited` are dots of writes that someone had seen and that are not here yet.
    `staleness_seconds` is the age of the newest event of the region's topic that is projected: null before
    the first one, and where the read table could not be asked; then only `projected` is false, and what the
    node itself has is shown.
    """

    region: str
    layer: str
    key: str
    present: bool
    value: Any
    version: str
    siblings: tuple[Written, ...]
    resolution: Resolution | None
    awaited: tuple[str, ...]
    staleness_seconds: float | None
    projected: bool


class Asking:
    """The read table, for those who can go on without it."""

    def __init__(self, database_url: str) -> None:
        self._queries = ContextQueries(database_url) if database_url else None
        self._again = 0.0
        self.problem = "no database is named: set FOLKMOOT_DATABASE_URL"
        """Why it could not be asked the last time."""

    async def __aenter__(self) -> Self:
        if self._queries is not None:
            await self._queries.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._queries is not None:
            await self._queries.__aexit__(kind, error, trace)

    async def entries(self, streams: Sequence[str], *, at_once: bool = False) -> dict[str, Entry] | None:
        """What is projected of these keys; None where it cannot be asked. `at_once`: also soon after that."""
        if self._queries is None or (not at_once and time.monotonic() < self._again):
            return None
        return await self._answered(self._queries.entries(streams))

    async def staleness(self, region: str) -> float | None:
        """Seconds since the newest projected event of the region's topic; None where there is none."""
        if self._queries is None:
            return None
        newest = await self._answered(self._queries.newest(f"context.{region}"))
        return None if newest is None else max(0.0, (datetime.now(UTC) - newest).total_seconds())

    async def beginning(self, stream: str) -> int | None:
        """The offset of a key's first record, as far as the log is projected; None where that is unknown."""
        if self._queries is None:
            return None
        found = await self._answered(self._queries.beginning(stream))
        return None if found is None else found.offset

    async def _answered(self, asked: Awaitable[_Answer]) -> _Answer | None:
        try:
            async with asyncio.timeout(ASKED_WITHIN):
                return await asked
        except OSError as error:  # a timeout is one
            self.problem = str(error) or "Postgres does not answer"
            self._again = time.monotonic() + _LEFT_ALONE
            return None


def joined(one: Entry | None, other: Entry | None) -> Entry | None:
    """What who has both has."""
    if one is None or other is None:
        return one if other is None else other
    return join(one, other)


def found(
    region: str,
    layer: str,
    key: str,
    entry: Entry | None,
    rules: Rules,
    *,
    staleness: float | None = None,
    projected: bool = True,
    now_ms: int | None = None,
) -> Found:
    """The entry as it is shown at `now_ms` (Unix milliseconds, by default now)."""
    settings = rules.layers.named(layer)
    if entry is None:
        return Found(region, layer, key, False, None, "none", (), None, (), staleness, projected)
    now_ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    seen = view(entry, settings, region, now_ms=now_ms, merge_text=rules.merge_text)
    return Found(
        region,
        layer,
        key,
        seen.present,
        seen.value,
        seen.version,
        seen.siblings,
        seen.resolution,
        tuple(f"{dot.node}:{dot.counter}" for dot in seen.awaited),
        staleness,
        projected,
    )
