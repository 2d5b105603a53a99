"""An event: what happened to one stream, under one position, with its causes."""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Protocol


class EventData(Protocol):
    """What an event says; its stored name is pinned by hand and never renamed."""

    TYPE: ClassVar[str]


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a stream, written once.

    `stream` is `<category>/<id>`; `version` counts 1, 2, 3, … within a single-writer stream; `time` is the
    writer's clock (a workflow's clock where a workflow writes), in UTC.
    """

    id: str
    stream: str
    version: int
    time: datetime
    data: EventData
    source: str
    workflow_id: str | None = None
    run_id: str | None = None
    causation_id: str | None = None
    correlation_id: str | None = None
    region: str | None = None
    traceparent: str | None = None

    @property
    def type(self) -> str:
        return self.data.TYPE


def event_id(at: datetime, *position: str | int) -> str:
    """A UUIDv7 (RFC 9562) that a retried activity derives again.

    The 48-bit timestamp is `at` in Unix milliseconds; the 74 random bits are the head of the SHA-256 of
    `position` (workflow id, run id, stream, version), length-prefixed so that no two positions collide.
    """
    digest = hashlib.sha256()
    for part in position:
        text = str(part).encode()
        digest.update(len(text).to_bytes(4, "big") + text)
    rest = int.from_bytes(digest.digest()[:10], "big")
    milliseconds = int(at.astimezone(UTC).timestamp() * 1000) & ((1 << 48) - 1)
    value = milliseconds << 80 | 0x7 << 76 | (rest >> 68) << 64 | 0b10 << 62 | rest & ((1 << 62) - 1)
    return str(uuid.UUID(int=value))
