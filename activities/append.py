"""Writes a workflow's events to the log: the one effect on which every decision rests."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import msgspec
from temporalio import activity

from activities.ports import EventLog, Streams
from domain.event import Event, EventData
from domain.refusal import Refusal

LOOK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One event as it travels from the workflow: `type` names what `data` is, so that nothing is guessed."""

    id: str
    version: int
    time: datetime
    type: str
    data: Any
    causation_id: str | None = None


@dataclass(frozen=True, slots=True)
class StreamAppend:
    """Consecutive events of one stream, with what they share said once."""

    MAX_BYTES: ClassVar[int] = 1 << 20  # an event of nearly 256 KiB and its neighbours must fit
    topic: str
    stream: str
    source: str
    workflow_id: str
    run_id: str
    entries: tuple[Entry, ...]
    region: str | None = None
    correlation_id: str | None = None


class Append:
    """Appends to the injected log. `catalogue` maps each stored event type to its class."""

    def __init__(self, log: EventLog, catalogue: Mapping[str, type[EventData]], streams: Streams) -> None:
        self._log = log
        self._catalogue = catalogue
        self._streams = streams

    @activity.defn(name="open_stream")
    async def open_stream(self, request: StreamAppend) -> None:
        """Append the first events of a stream, unless the read model knows the stream already.

        Temporal lets a closed workflow id be used again, which would write a second version 1. The look is
        bounded: a database that is down must not stop decisions, and the projector parks a fork anyway.

        Raises:
            Refusal: the stream exists; nothing was written.
        """
        last = await self._last_event(request.stream)
        if last is not None and last not in {entry.id for entry in request.entries}:
            raise Refusal("id", f"{request.stream} is being or was decided already; choose another id")
        await self.append_events(request)

    @activity.defn(name="append_events")
    async def append_events(self, request: StreamAppend) -> None:
        """Append and return when every event is durable. A retry appends the same ids; readers drop them.

        Raises:
            Refusal: an event cannot be stored; none was written.
            TimeoutError: the log did not answer; Temporal retries.
        """
        await self._log.append(request.topic, [self._event(request, entry) for entry in request.entries])

    async def _last_event(self, stream: str) -> str | None:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                return await self._streams.last_event(stream)
        except (OSError, TimeoutError) as error:
            activity.logger.warning("append.stream_not_looked_up", extra={"cause": type(error).__name__})
            return None

    def _event(self, request: StreamAppend, entry: Entry) -> Event:
        kind = self._catalogue.get(entry.type)
        if kind is None:
            raise Refusal("type", f"{entry.type} is not an event type of this version")
        return event_of(request, entry, msgspec.convert(entry.data, kind))


def event_of(request: StreamAppend, entry: Entry, data: EventData) -> Event:
    """The event that an entry is appended as; `data` is what it says, read as its type."""
    return Event(
        id=entry.id,
        stream=request.stream,
        version=entry.version,
        time=entry.time,
        data=data,
        source=request.source,
        workflow_id=request.workflow_id,
        run_id=request.run_id,
        causation_id=entry.causation_id,
        correlation_id=request.correlation_id,
        region=request.region,
    )
