"""The read model of conflict cases: one row each, and what their outcomes say of voters."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import JSON, Boolean, Column, Float, Index, PrimaryKeyConstraint, Table

from domain.conflict.case import Case
from domain.conflict.events import EVENTS, Resolved, Unresolved
from domain.conflict.fold import fold
from domain.conflict.state import NO_CASE, CaseState
from domain.consensus.reputation import evidence
from domain.event import Event
from projections.deliberation import sums_of_voters
from projections.projection import Addition
from projections.tables import METADATA, count, moment, stamps, text

CONFLICT_CASE = Table(
    "conflict_case",
    METADATA,
    *stamps(),
    text("status"),
    text("question"),
    text("kind"),
    text("layer"),
    text("region"),
    text("topic"),
    Column("severity", Float, nullable=False),
    Column("critical", Boolean, nullable=False),
    count("level"),
    count("initial_level"),
    text("choice", required=False),
    text("resolution", required=False),
    text("context_layer", required=False),
    text("context_key", required=False),
    text("dots", required=False),
    moment("opened_at"),
    moment("closed_at", required=False),
    Column("state", JSON, nullable=False),
    PrimaryKeyConstraint("stream"),
)
Index("conflict_case_opened_at", CONFLICT_CASE.c.opened_at)
Index("conflict_case_context", CONFLICT_CASE.c.context_key, CONFLICT_CASE.c.context_layer)
# Of all cases that there ever were, few are open, and those are asked for all the time.
Index(
    "conflict_case_open",
    CONFLICT_CASE.c.context_key,
    CONFLICT_CASE.c.context_layer,
    postgresql_where=CONFLICT_CASE.c.closed_at.is_(None),
)

CASE_REPUTATION = sums_of_voters("case_reputation")


class Told(msgspec.Struct, frozen=True, gc=False):
    """One event of the case, as it was written."""

    id: str
    type: str
    time: datetime
    data: msgspec.Raw


class Folded(NamedTuple):
    """The domain's state of a case, with the events that it was folded from."""

    inner: CaseState
    events: tuple[Told, ...]


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(tuple[Told, ...]).decode
_readers = {kind.TYPE: msgspec.json.Decoder(kind).decode for kind in EVENTS}


class ConflictProjection:
    """Cases by stream; what their outcomes say of voters, by topic and voter.

    Those sums are apart from those of single deliberations, so that each can be made again by itself; whoever
    weighs a voter adds both.
    """

    name = "conflict"
    topic = "decisions"
    category = "conflict"
    home = CONFLICT_CASE
    totals = CASE_REPUTATION
    adding = frozenset({Resolved, Unresolved})
    numbered = True
    rules = ""

    def fold(self, state: Folded | None, event: Event) -> Folded:
        before = state or Folded(NO_CASE, ())
        inner = fold(before.inner, event)
        told = Told(event.id, event.type, event.time, msgspec.Raw(_encode(event.data)))
        return Folded(inner, (*before.events, told))

    def adds(self, state: Folded, event: Event) -> Iterable[Addition]:
        outcome = event.data
        if not isinstance(outcome, Resolved | Unresolved):
            return
        for score in outcome.scores:
            sums = evidence(score, event.time)
            ruled = int(score.right is not None)
            yield (
                (state.inner.opened.topic, score.voter),
                (sums.right, sums.wrong, sums.brier, sums.stated, ruled, int(score.equivocated)),
            )

    def settled(self, state: Folded) -> bool:
        return state.inner.outcome is not None

    def row(self, state: Folded) -> tuple[Any, ...]:
        inner, case = state.inner, state.inner.opened
        outcome = inner.outcome
        resolved = outcome if isinstance(outcome, Resolved) else None
        return (
            inner.status,
            case.question,
            case.kind,
            case.layer,
            case.regions[0],
            case.topic,
            case.severity,
            case.critical,
            inner.level,
            inner.initial_level,
            resolved.choice if resolved else None,
            resolved.resolution if resolved else None,
            case.context.layer if case.context else None,
            case.context.key if case.context else None,
            _dealt_with(case, resolved),
            inner.opened_at,
            state.events[-1].time if outcome else None,
            _encode(state.events).decode(),
        )

    def state(self, values: Sequence[Any]) -> Folded:
        # A copy of each, which does not keep the whole text that it is a part of.
        events = tuple(msgspec.structs.replace(told, data=told.data.copy()) for told in _decode(values[-1]))
        inner = NO_CASE
        for version, told in enumerate(events, 1):
            inner = fold(inner, _event(told, version))
        return Folded(inner, events)


def _dealt_with(case: Case, resolved: Resolved | None) -> str | None:
    """The writes that the ruling covers, else those that the case holds; as `context_entry.dots` has them."""
    dots = resolved.covers if resolved else case.dots(len(case.positions))
    return ",".join(sorted(f"{dot.node}:{dot.counter}" for dot in dots)) or None


def _event(told: Told, version: int) -> Event:
    return Event(told.id, "conflict/", version, told.time, _readers[told.type](told.data), source="")
