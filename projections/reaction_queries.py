"""What the reactor asks of the read tables: which keys need a decision, and what cases they have had."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any, NamedTuple, cast

from domain.causality.causal_context import Dot
from domain.conflict.case import ContextKey, Layer
from domain.conflict.coalescing import NO_RECORD, KeyRecord, close
from domain.context.events import Flag
from domain.context.versions import dots_of
from projections.context_queries import ContextQueries

# Of a key with an open case only that case is asked about; what all cases of a key hold asks for nothing.
# Most writes bear no flag, and looking for one in the text costs a tenth of reading it as JSON.
_WAITING = """
SELECT e.stream, e.region, e.layer, e.key, e.dots, CASE WHEN e.siblings::text LIKE '%"flags":["%' THEN ARRAY(
  SELECT DISTINCT flag FROM json_array_elements(e.siblings) AS write,
    json_array_elements_text(write->'flags') AS flag
) ELSE ARRAY[]::text[] END AS flags
FROM context_entry AS e
WHERE e.standing = 'undecided'
  AND NOT EXISTS (
    SELECT FROM conflict_case AS c
    WHERE c.context_key = e.key AND c.context_layer = e.layer AND c.closed_at IS NULL
      AND c.stream <> ALL($1::text[])
  )
  AND NOT string_to_array(e.dots, ',') <@ ARRAY(
    SELECT unnest(string_to_array(c.dots, ',')) FROM conflict_case AS c
    WHERE c.context_key = e.key AND c.context_layer = e.layer
  )
ORDER BY e.newest_wall, e.stream
"""
_GROWING = """
SELECT e.stream, e.region, e.layer, e.key, e.dots, ARRAY[]::text[] AS flags
FROM conflict_case AS c JOIN context_entry AS e ON e.key = c.context_key AND e.layer = c.context_layer
WHERE c.closed_at IS NULL AND c.stream <> ALL($1::text[]) AND e.standing = 'undecided'
  AND NOT string_to_array(e.dots, ',') <@ string_to_array(c.dots, ',')
ORDER BY e.stream
"""
_CASES = """
SELECT context_layer, context_key, stream, dots, closed_at IS NULL AS open FROM conflict_case
WHERE (context_layer, context_key) IN (SELECT * FROM unnest($1::text[], $2::text[]))
ORDER BY opened_at, stream
"""
_OPEN = "SELECT stream FROM conflict_case WHERE closed_at IS NULL AND context_key IS NOT NULL"
_KNOWN = "SELECT stream FROM conflict_case WHERE stream = ANY($1::text[])"
_REGIONS = "SELECT DISTINCT topic FROM projection_offset WHERE projection = 'context' ORDER BY 1"

_STORM_SECONDS = 60.0
"""For what may ask about every key that there is, on a machine that a storm keeps busy."""


class Undecided(NamedTuple):
    """A key that needs a decision, as one region has it; `flags` are those that some sibling bears."""

    stream: str
    region: str
    layer: Layer
    key: str
    version: str
    flags: tuple[Flag, ...]

    @property
    def context(self) -> ContextKey:
        return ContextKey(self.layer, self.key)

    @property
    def dots(self) -> tuple[Dot, ...]:
        return dots_of(self.version)


class ReactionQueries(ContextQueries):
    """As `Queries`: it connects when it is first asked, and raises OSError when it cannot be asked now.

    `gone` are streams of open cases that nobody works on: they count as closed, with all that they held.
    """

    async def waiting(self, gone: Collection[str] = ()) -> list[Undecided]:
        """Keys without an open case that hold a write which no case has dealt with, the oldest first."""
        return [_undecided(row) for row in await self._rows(_WAITING, list(gone), within=_STORM_SECONDS)]

    async def growing(self, gone: Collection[str] = ()) -> list[Undecided]:
        """Keys with an open case that hold a write which it does not."""
        return [_undecided(row) for row in await self._rows(_GROWING, list(gone))]

    async def records(
        self, keys: Sequence[ContextKey], gone: Collection[str] = ()
    ) -> dict[ContextKey, KeyRecord]:
        """What the cases of these keys say of them."""
        found: dict[ContextKey, KeyRecord] = dict.fromkeys(keys, NO_RECORD)
        layers, names = [key.layer for key in keys], [key.key for key in keys]
        rows = await self._rows(_CASES, layers, names, within=_STORM_SECONDS)
        for is_open, row in sorted(_standing(rows, gone), key=itemgetter(0)):  # the open one last
            key = ContextKey(row["context_layer"], row["context_key"])
            case, dots = row["stream"].partition("/")[2], dots_of(row["dots"] or "none")
            record = found[key]
            held = KeyRecord(case, frozenset(dots), record.settled, record.closed)
            found[key] = held if is_open else close(held, case, dots)
        return found

    async def open_cases(self) -> set[str]:
        """The streams of the open cases about entries."""
        return {row["stream"] for row in await self._rows(_OPEN)}

    async def known_cases(self, streams: Sequence[str]) -> set[str]:
        """Those of the streams that are projected."""
        return {row["stream"] for row in await self._rows(_KNOWN, list(streams))}

    async def regions(self) -> list[str]:
        """The regions whose topics are projected."""
        return [row["topic"].partition(".")[2] for row in await self._rows(_REGIONS)]


def _standing(rows: Iterable[Any], gone: Collection[str]) -> Iterator[tuple[bool, Any]]:
    return ((row["open"] and row["stream"] not in gone, row) for row in rows)


def _undecided(row: dict[str, object]) -> Undecided:
    return Undecided(
        str(row["stream"]),
        str(row["region"]),
        cast("Layer", row["layer"]),
        str(row["key"]),
        str(row["dots"]),
        tuple(cast("list[Flag]", row["flags"])),
    )
