"""An event: what happened to one stream, under one position, with its causes."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import ClassVar, Protocol

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_48_BITS = (1 << 48) - 1
_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))
"""The variant's two bits, 10, over the first two of a hexadecimal digit's four."""


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

    The 48-bit timestamp is `at` (in any time zone) in whole Unix milliseconds; the 74 random bits are taken
    from the head of the SHA-256 of `position` (workflow id, run id, stream, version), length-prefixed so that
    no two positions collide.
    """
    moment = _moment(at)
    chance = hashlib.sha256(b"".join(map(_framed, position))).hexdigest()
    return f"{moment[:8]}-{moment[8:]}-7{chance[:3]}-{_VARIANT[chance[4]]}{chance[5:8]}-{chance[8:20]}"


@lru_cache(maxsize=64)  # what is decided at once has one time
def _moment(at: datetime) -> str:
    return f"{(at - _EPOCH) // _MILLISECOND & _48_BITS:012x}"


@lru_cache(maxsize=1024)  # a stream's events share all of their position but the version
def _framed(part: str | int) -> bytes:
    text = str(part).encode()
    return len(text).to_bytes(4, "big") + text
