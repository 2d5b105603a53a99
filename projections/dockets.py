"""The read model of dockets: one row each, as its own stream tells it; the items are deliberations."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import JSON, BigInteger, Column, PrimaryKeyConstraint, Table

from domain.consensus.docket_state import NO_DOCKET, DocketState, fold_docket
from domain.consensus.events import DocketClosed, DocketEstimated, DocketOpened, DocketWithdrawn, SliceDecided
from domain.event import Event
from domain.refusal import ImpossibleEvent
from projections.projection import Addition
from projections.tables import METADATA, moment, stamps, text

DOCKET = Table(
    "docket",
    METADATA,
    *stamps(),
    text("status"),
    text("question"),
    text("topic"),
    Column("items", BigInteger, nullable=False),
    Column("decided", BigInteger, nullable=False),
    moment("opened_at"),
    moment("closed_at", required=False),
    Column("state", JSON, nullable=False),
    PrimaryKeyConstraint("stream"),
)


class Detail(msgspec.Struct, frozen=True, omit_defaults=True):
    """The nested part of a row: the docket's own events, as they were written."""

    opened: DocketOpened
    estimated: DocketEstimated | None = None
    slices: tuple[SliceDecided, ...] = ()
    closed: DocketClosed | None = None
    withdrawn: DocketWithdrawn | None = None


class Docket(msgspec.Struct, frozen=True):
    """The domain's state of a docket with the moments that its row shows."""

    inner: DocketState
    opened_at: datetime
    closed_at: datetime | None = None


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Detail)


class DocketProjection:
    """Dockets by stream."""

    name = "docket"
    topic = "decisions"
    category = "docket"
    home = DOCKET
    totals = None
    adding = frozenset[type]()
    numbered = True
    rules = ""

    def fold(self, state: Docket | None, event: Event) -> Docket:
        inner = fold_docket(state.inner if state else NO_DOCKET, event)
        if isinstance(event.data, SliceDecided):
            _within_the_table(inner, event.data)
        return Docket(
            inner,
            opened_at=state.opened_at if state else event.time,
            closed_at=event.time if inner.closed else None,
        )

    def adds(self, state: Docket, event: Event) -> Iterable[Addition]:  # noqa: ARG002 # a docket adds to nothing
        return ()

    def settled(self, state: Docket) -> bool:
        return state.inner.closed is not None or state.inner.withdrawn is not None

    def row(self, state: Docket) -> tuple[Any, ...]:
        inner, opened = state.inner, state.inner.opened
        if opened is None:
            raise AssertionError("a docket with a row was opened")
        detail = Detail(opened, inner.estimated, inner.slices, inner.closed, inner.withdrawn)
        return (
            _status(inner),
            opened.question,
            opened.topic,
            opened.items,
            inner.decided,
            state.opened_at,
            state.closed_at,
            _encoder.encode(detail).decode(),
        )

    def state(self, values: Sequence[Any]) -> Docket:
        *_, opened_at, closed_at, text_ = values
        detail = _decoder.decode(text_)
        statuses: Counter[str] = Counter()
        for part in detail.slices:
            statuses += Counter(part.statuses)
        inner = DocketState(
            detail.opened, detail.estimated, detail.slices, statuses, detail.closed, detail.withdrawn
        )
        return Docket(inner, opened_at, closed_at)


def _status(docket: DocketState) -> str:
    if docket.closed:
        return "closed"
    if docket.withdrawn:
        return "withdrawn"
    return "deciding" if docket.slices or docket.estimated else "open"


def _within_the_table(docket: DocketState, part: SliceDecided) -> None:
    items = docket.opened.items if docket.opened else 0
    if not 0 <= part.first < part.last <= items:
        raise ImpossibleEvent("first", f"items {part.first} to {part.last} of a docket of {items}")
