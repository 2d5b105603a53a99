"""The read model of discards: which parked records a person gave up, who and why."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Table

from domain.consensus.state import ImpossibleEvent
from domain.deadletters import Discarded
from domain.event import Event
from projections.projection import Addition
from projections.tables import METADATA, moment, stamps, text

DISCARD = Table(
    "discard",
    METADATA,
    *stamps(),
    text("dead_letter"),
    text("discarded_topic"),
    Column("discarded_partition", BigInteger, nullable=False),
    Column("discarded_offset", BigInteger, nullable=False),
    text("discarded_stream", required=False),
    text("who"),
    text("why"),
    moment("discarded_at"),
    PrimaryKeyConstraint("stream"),
)


class Discard(msgspec.Struct, frozen=True):
    """A row of `discard` after its stamps, in the order of its columns."""

    dead_letter: str
    topic: str
    partition: int
    offset: int
    stream: str | None
    who: str
    why: str
    at: datetime


class DiscardProjection:
    """Discards by stream; each has a stream of its own, which ends with its first event."""

    name = "deadletters"
    topic = "deadletters"
    category = "deadletters"
    home = DISCARD
    totals = None
    adding = frozenset[type]()

    def fold(self, state: Discard | None, event: Event) -> Discard:
        data = event.data
        if state is not None or not isinstance(data, Discarded):
            raise ImpossibleEvent("type", f"{event.type} in the stream of a discard")
        return Discard(
            data.dead_letter,
            data.topic,
            data.partition,
            data.offset,
            data.stream,
            data.who,
            data.why,
            event.time,
        )

    def adds(self, state: Discard, event: Event) -> Iterable[Addition]:  # noqa: ARG002 # a discard adds to nothing
        return ()

    def row(self, state: Discard) -> tuple[Any, ...]:
        return msgspec.structs.astuple(state)

    def state(self, values: Sequence[Any]) -> Discard:
        return Discard(*values)
