"""Why a record is parked, and what is said about it; never what it contains."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from domain.refusal import Refusal
from domain.strict_json import printable
from eventlog.codec import peek
from eventlog.envelope import STREAM
from eventlog.record import RawRecord, moment

# undecodable: no event of ours; misfiled: its key is not its stream, or belongs to another partition;
# unrouted: nobody takes such streams;
# impossible: it cannot follow; fault: the fold itself failed; fork: its version is taken by another event;
# gap: versions before it are missing; behind: it waits for one before it.
Kind = Literal["undecodable", "misfiled", "unrouted", "impossible", "fault", "fork", "gap", "behind"]

LONGEST_REASON = 300
_STREAM = re.compile(STREAM.encode())


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One parked record. `stream` is the stream that it stops, None where its key names none."""

    projection: str
    topic: str
    partition: int
    offset: int
    stream: str | None
    version: int | None
    event_id: str | None
    kind: Kind
    reason: str
    recorded_at: datetime

    @property
    def id(self) -> str:
        return dead_letter_id(self.topic, self.partition, self.offset)


def dead_letter_id(topic: str, partition: int, offset: int) -> str:
    return f"{topic}.{partition}.{offset}"


def stream_named_by(key: bytes | None) -> tuple[str, str] | None:
    """The stream and its category, where a record's key names one."""
    if key is None or not _STREAM.fullmatch(key):
        return None
    stream = key.decode()
    return stream, stream.partition("/")[0]


def dead_letter(
    record: RawRecord, projection: str, stream: str | None, kind: Kind, reason: str
) -> DeadLetter:
    heading = peek(record.value)
    return DeadLetter(
        projection=projection,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        stream=stream,
        version=heading.version if heading else None,
        event_id=heading.id if heading else None,
        kind=kind,
        reason=printable(reason, LONGEST_REASON),
        recorded_at=moment(record.timestamp_ms),
    )


def reason_of(error: Exception) -> tuple[Kind, str]:
    """What may be said of a failed fold: our own refusals speak for themselves, others may quote data."""
    if isinstance(error, Refusal):
        return "impossible", str(error)
    return "fault", f"the fold failed with {type(error).__name__}"
