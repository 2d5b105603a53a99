"""The read model of learning cycles: one row each, with its rounds as they went."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, assert_never

import msgspec
from sqlalchemy import JSON, BigInteger, Column, Float, Index, PrimaryKeyConstraint, Table

from domain.event import Event
from domain.learning.events import (
    CycleClosed,
    CycleEvent,
    CycleFailed,
    CycleOpened,
    CycleWithdrawn,
    RoundAbandoned,
    RoundAggregated,
    RoundOpened,
    UpdatesCollected,
)
from domain.refusal import ImpossibleEvent
from projections.learning_rounds import Attempt, Round, abandoned, aggregated, collected, opened
from projections.projection import Addition
from projections.tables import METADATA, count, moment, stamps, text

LEARNING_CYCLE = Table(
    "learning_cycle",
    METADATA,
    *stamps(),
    text("status"),
    text("model"),
    text("trainer"),
    text("strategy"),
    text("privacy"),
    count("round"),
    count("rounds"),
    Column("loss", Float, nullable=True),
    Column("accuracy", Float, nullable=True),
    Column("epsilon", Float, nullable=True),
    Column("sent_bytes", BigInteger, nullable=False),
    Column("raw_bytes", BigInteger, nullable=False),
    text("published", required=False),
    text("digest", required=False),
    text("privacy_level", required=False),
    moment("opened_at"),
    moment("closed_at", required=False),
    Column("state", JSON, nullable=False),
    PrimaryKeyConstraint("stream"),
)
Index("learning_cycle_opened_at", LEARNING_CYCLE.c.opened_at)
Index("learning_cycle_model", LEARNING_CYCLE.c.model)

_MOST = 2**63 - 1
STATUSES = ("training", "closed", "failed", "withdrawn")


class Cycle(msgspec.Struct, frozen=True, kw_only=True):
    """A cycle so far. `ended`: the event that ended it, and its status with it."""

    opened: CycleOpened
    opened_at: datetime
    rounds: tuple[Round, ...] = ()
    open: Attempt | None = None
    closed: CycleClosed | None = None
    failed: CycleFailed | None = None
    withdrawn: CycleWithdrawn | None = None
    closed_at: datetime | None = None


_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(Cycle).decode


class LearningProjection:
    """Cycles by stream."""

    name = "learning"
    topic = "learning"
    category = "learning"
    home = LEARNING_CYCLE
    totals = None
    adding = frozenset[type]()
    numbered = True
    rules = ""

    def fold(self, state: Cycle | None, event: Event) -> Cycle:
        data = event.data
        if not isinstance(data, CycleEvent) or isinstance(data, CycleOpened) != (state is None):
            raise ImpossibleEvent("type", f"{event.type} cannot stand here in a learning cycle")
        if state is None:
            if not isinstance(data, CycleOpened):
                raise AssertionError("what is first was checked above")
            return Cycle(opened=data, opened_at=event.time)
        if self.settled(state):
            raise ImpossibleEvent("type", f"{event.type} after the end")
        return _next(state, event, data)

    def adds(self, state: Cycle, event: Event) -> Iterable[Addition]:  # noqa: ARG002 # a cycle adds to nothing
        return ()

    def settled(self, state: Cycle) -> bool:
        return state.closed_at is not None

    def row(self, state: Cycle) -> tuple[Any, ...]:
        request, made = state.opened.request, _made(state)
        last = made[-1] if made else None
        return (
            _status(state),
            request.model,
            request.trainer.name,
            request.strategy.name,
            request.privacy.method,
            state.rounds[-1].round if state.rounds else 0,
            request.rounds,
            last.loss if last else None,
            last.accuracy if last else None,
            last.epsilon if last else None,
            sum(one.sent_bytes for one in made),
            sum(one.raw_bytes for one in made),
            state.closed.version if state.closed else None,
            last.digest if last else None,
            state.closed.privacy_level if state.closed else None,
            state.opened_at,
            state.closed_at,
            _encode(state).decode(),
        )

    def state(self, values: Sequence[Any]) -> Cycle:
        return _decode(values[-1])


def _next(state: Cycle, event: Event, data: CycleEvent) -> Cycle:
    changes: dict[str, Any]
    match data:
        case RoundOpened():
            begun, attempt = opened(state.rounds[-1] if state.rounds else None, event, data)
            changes = {"rounds": (*state.rounds, begun), "open": attempt}
        case UpdatesCollected():
            at, attempt = _open(state, data)
            at, attempt = collected(at, attempt, data)
            changes = {"rounds": (*state.rounds[:-1], at), "open": attempt}
        case RoundAbandoned():
            at = abandoned(_open(state, data)[0], event, data)
            changes = {"rounds": (*state.rounds[:-1], at), "open": None}
        case RoundAggregated():
            at = aggregated(_open(state, data)[0], event, data)
            _fits([*_made(state), at])
            changes = {"rounds": (*state.rounds[:-1], at), "open": None}
        case CycleClosed():
            if state.open is not None or len(_made(state)) != state.opened.request.rounds:
                raise ImpossibleEvent("rounds", "closed before the last round became a model")
            changes = {"closed": data, "closed_at": event.time}
        case CycleFailed():
            changes = {"failed": data, "closed_at": event.time, "open": None}
        case CycleWithdrawn():
            changes = {"withdrawn": data, "closed_at": event.time, "open": None}
        case CycleOpened():
            raise AssertionError("a second opening was refused")
        case _:
            assert_never(data)
    return msgspec.structs.replace(state, **changes)


def _open(state: Cycle, data: UpdatesCollected | RoundAbandoned | RoundAggregated) -> tuple[Round, Attempt]:
    at = state.rounds[-1] if state.rounds else None
    if at is None or state.open is None or (at.round, at.attempt) != (data.round, data.attempt):
        raise ImpossibleEvent("round", f"round {data.round}, attempt {data.attempt} is not open")
    return at, state.open


def _made(state: Cycle) -> list[Round]:
    return [one for one in state.rounds if one.status == "aggregated"]


def _fits(made: Sequence[Round]) -> None:
    for sums in (sum(one.sent_bytes for one in made), sum(one.raw_bytes for one in made)):
        if not 0 <= sums <= _MOST:
            raise ImpossibleEvent("sent_bytes", "the rounds come to more bytes than a row can hold")


def _status(state: Cycle) -> str:
    if state.closed is not None:
        return "closed"
    if state.failed is not None:
        return "failed"
    return "withdrawn" if state.withdrawn is not None else "training"
