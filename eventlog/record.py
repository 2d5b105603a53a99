"""A record of the log as Kafka keeps it, not yet read as an event."""

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
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

    @property
    def leaf(self) -> bytes:
        """The value's leaf hash (RFC 6962, 2.1): 32 bytes that no other record has."""
        return sha256(b"\x00" + self.value).digest()


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


class LogReplaced(RetentionLost):
    """The log holds another record where one was read: it was set back, and has grown again since."""

    def __init__(self, topic: str, partition: int, offset: int) -> None:
        Exception.__init__(
            self,
            f"{topic}/{partition}: the record at offset {offset} is not the one that was read there: the log "
            "was set back and has grown since, or another one stands in its place; put the right log back, "
            "or if it is gone for good, `moot rebuild --all` makes the tables of what there is",
        )
        self.topic, self.partition, self.wanted = topic, partition, offset


@dataclass(frozen=True, slots=True)
class LastRead:
    """By what a reader knows again where it was: the offset of the last record it had, and its leaf hash."""

    offset: int
    leaf: bytes

    def past(self, records: list[RawRecord]) -> list[RawRecord]:
        """What follows in `records`, which begin with the record that was the last.

        Raises:
            LogReplaced: they do not.
        """
        first = records[0]
        if (first.offset, first.leaf) != (self.offset, self.leaf):
            raise LogReplaced(first.topic, first.partition, self.offset)
        return records[1:]
