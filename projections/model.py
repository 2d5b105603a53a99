"""The read model of models: one row each, with every version, how it stands and on whose authority."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import JSON, Column, PrimaryKeyConstraint, Table

from domain.event import Event
from domain.learning.versions.state import NO_MODEL, ModelState, fold
from projections.projection import Addition
from projections.tables import METADATA, count, moment, stamps, text

MODEL = Table(
    "model",
    METADATA,
    *stamps(),
    text("active", required=False),
    text("canary", required=False),
    count("versions"),
    count("drifts"),
    moment("changed_at"),
    Column("state", JSON, nullable=False),
    PrimaryKeyConstraint("stream"),
)


class Kept(msgspec.Struct, frozen=True):
    """The domain's state of a model, with the time of its newest event."""

    inner: ModelState
    changed_at: datetime


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(ModelState).decode


class ModelProjection:
    """Models by stream."""

    name = "model"
    topic = "learning"
    category = "model"
    home = MODEL
    totals = None
    adding = frozenset[type]()
    numbered = True
    rules = ""

    def fold(self, state: Kept | None, event: Event) -> Kept:
        return Kept(fold(state.inner if state else NO_MODEL, event), event.time)

    def adds(self, state: Kept, event: Event) -> Iterable[Addition]:  # noqa: ARG002 # a model adds to nothing
        return ()

    def settled(self, state: Kept) -> bool:  # noqa: ARG002 # a model always goes on
        return False

    def row(self, state: Kept) -> tuple[Any, ...]:
        inner = state.inner
        return (
            inner.active,
            inner.canary.version if inner.canary else None,
            len(inner.versions),
            inner.drifts,
            state.changed_at,
            _encode(inner).decode(),
        )

    def state(self, values: Sequence[Any]) -> Kept:
        *_, changed_at, told = values
        return Kept(_decode(told), changed_at)
