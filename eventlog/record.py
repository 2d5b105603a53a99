"""A record of the log as Kafka keeps it, not yet read as an event."""

from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

_LAST_MS = 253_402_300_799_999  # of the year 9999


class RawRecord(msgspec.Struct, frozen=True, gc=False):
    """`topic` is the logical name; `value` the bytes as stored, which are the leaf of the audit's tree.

    `timestamp_ms` is the event's time, in Unix milliseconds. A record without a value (a tombstone, which
    none of our writers makes) has b"".
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes


def moment(timestamp_ms: int) -> datetime:
    """A record's time. Kafka takes any number from a foreign writer: what is no date becomes the nearest."""
    return datetime.fromtimestamp(min(max(timestamp_ms, 0), _LAST_MS) / 1000, UTC)


class Position(NamedTuple):
    """Where an event lies; `offset` is -1 where the broker knew a repeated write but no more its place."""

    topic: str
    partition: int
    offset: int


class RetentionLost(Exception):
    """Records that a reader needs are no longer, or not yet, on the log: history was deleted or replaced."""

    def __init__(self, topic: str, partition: int, wanted: int, beginning: int, end: int) -> None:
        super().__init__(
            f"{topic}/{partition}: offset {wanted} is wanted, the log holds {beginning} up to {end}: "
            "history was lost or another log stands in its place; restore it, or rebuild from what is left"
        )
        self.topic, self.partition, self.wanted = topic, partition, wanted
        self.beginning, self.end = beginning, end
