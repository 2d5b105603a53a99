"""The read model of discards: which parked records a person gave up, who and why."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Table

from domain.deadletters import Discarded
from domain.event import Event
from domain.refusal import ImpossibleEvent
from eventlog.topics import is_topic
from projections.dead_letter import dead_letter_id
from projections.projection import Addition
from projections.tables import METADATA, moment, stamps, text

LAST_PARTITION = 2**15 - 1  # that the tables hold

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
    numbered = True
    rules = ""

    def fold(self, state: Discard | None, event: Event) -> Discard:
        data = event.data
        if state is not None or not isinstance(data, Discarded):
            raise ImpossibleEvent("type", f"{event.type} in the stream of a discard")
        _names_one_record(event.stream, data)
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

    def settled(self, state: Discard) -> bool:  # noqa: ARG002 # a discard is its only event
        return True

    def row(self, state: Discard) -> tuple[Any, ...]:
        return msgspec.structs.astuple(state)

    def state(self, values: Sequence[Any]) -> Discard:
        return Discard(*values)


def _names_one_record(stream: str, data: Discarded) -> None:
    there = dead_letter_id(data.topic, data.partition, data.offset)
    if not is_topic(data.topic) or not 0 <= data.partition <= LAST_PARTITION or data.offset < 0:
        raise ImpossibleEvent("dead_letter", "it names no place on the log")
    if (data.dead_letter, stream) != (there, f"{DiscardProjection.category}/{there}"):
        raise ImpossibleEvent("dead_letter", "its stream, its record and its place are not one")
