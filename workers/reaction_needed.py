"""Whether siblings need a decision: the tables know neither our clock nor all of the past."""

import time
from collections.abc import Sequence

import structlog

from domain.causality.causal_context import Dot
from domain.context.decide import merged
from domain.context.events import Written
from domain.context.recording import recorded
from domain.context.state import Entry
from domain.context.view import View, conflict_in, view
from eventlog.writer import LogWriter
from projections.reaction_queries import Undecided
from workers.deciding import Rules
from workers.settings import Settings
from workers.shared_context import SharedContext

_log = structlog.get_logger(__name__)


class Needed:
    """By the rules of the tables: by others, cases would be opened on what every reader is shown merged."""

    def __init__(self, settings: Settings, rules: Rules) -> None:
        self._settings, self._rules = settings, rules

    async def decision(self, context: SharedContext, found: Undecided, entry: Entry) -> bool:
        """Whether siblings that stand by our clock are in conflict, also with their past looked up."""
        now = time.time_ns() // 1_000_000
        seen = self._seen(found, entry, now)
        if not _undecided(seen):
            return False
        missing = self._missing(found, entry, seen.siblings)
        if missing:
            past = await context.writes(found.region, found.layer, found.key, missing)
            seen = self._seen(found, entry, now, past)
        if seen.present:
            await self._merge(found, seen)
        return _undecided(seen)

    def _seen(self, found: Undecided, entry: Entry, now: int, past: Sequence[Written] = ()) -> View:
        layer, merge_text = self._rules.layers.named(found.layer), self._rules.merge_text
        return view(entry, layer, found.region, now_ms=now, history=past, merge_text=merge_text)

    def _missing(self, found: Undecided, entry: Entry, siblings: tuple[Written, ...]) -> tuple[Dot, ...]:
        layer = self._rules.layers.named(found.layer)
        conflict = conflict_in(entry, layer, found.region, siblings=siblings)
        return conflict.ancestor.missing if conflict is not None else ()

    async def _merge(self, found: Undecided, seen: View) -> None:
        """Write what the past let the rule settle: the tables, which do not look it up, would never tell."""
        write = merged(seen.siblings, seen.value, found.region)
        event = recorded(write, found.region, self._rules.residency)
        async with LogWriter(self._settings.kafka, self._settings.topic_prefix) as log:
            await log.append(f"context.{found.region}", [event])
        _log.info("reactor.merged", stream=found.stream, writes=len(seen.siblings))


def _undecided(seen: View) -> bool:
    return seen.resolution is not None and seen.resolution.resolution is None
