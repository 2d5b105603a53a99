"""An event log in memory that behaves as the port promises, and can be told to be away.

It passes the same conformance suite as the real writer: tests/fakes/event_log_conformance.py.
"""

import asyncio
from collections.abc import Sequence

from domain.event import Event
from domain.refusal import Refusal
from eventlog.codec import decode, encode
from eventlog.topics import topic_of


class MemoryLog:
    """`away` appends fail with TimeoutError before one succeeds; `appended` holds (topic, event) in order.

    Events pass through their stored form, so that a test sees what a reader would see.
    """

    def __init__(self, away: int = 0) -> None:
        self.appended: list[tuple[str, Event]] = []
        self.calls = 0
        self.away = away

    async def append(self, topic: str, events: Sequence[Event]) -> None:
        self.calls += 1
        stored = [encode(event) for event in events]
        if any(topic_of(event.stream) != topic for event in events):
            raise Refusal("event", f"does not belong to topic {topic}")
        if self.away > 0:
            self.away -= 1
            raise TimeoutError("the log did not answer")
        self.appended.extend((topic, decode(value)) for value in stored)

    def stream(self, name: str) -> list[Event]:
        """The stream as a reader sees it: an event appended again under its id is dropped."""
        seen: dict[str, Event] = {}
        for _, event in self.appended:
            if event.stream == name:
                seen.setdefault(event.id, event)
        return list(seen.values())


class HeldLog(MemoryLog):
    """Holds back the answer to appends of an event `of` a kind to streams that start with `held`."""

    def __init__(self, held: str, of: type = object) -> None:
        super().__init__()
        self.held, self.of = held, of
        self.reached, self.go = asyncio.Event(), asyncio.Event()

    async def append(self, topic: str, events: Sequence[Event]) -> None:
        await super().append(topic, events)
        if events[0].stream.startswith(self.held) and any(isinstance(e.data, self.of) for e in events):
            self.reached.set()
            await self.go.wait()
