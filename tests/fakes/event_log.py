"""An event log in memory that behaves as the port promises, and can be told to be away."""

from collections.abc import Sequence

from domain.event import Event
from domain.refusal import Refusal

LARGEST = 256 * 1024


class MemoryLog:
    """`away` appends fail with TimeoutError before one succeeds; `appended` holds (topic, event) in order."""

    def __init__(self, away: int = 0) -> None:
        self.appended: list[tuple[str, Event]] = []
        self.calls = 0
        self.away = away

    async def append(self, topic: str, events: Sequence[Event]) -> None:
        self.calls += 1
        if self.away > 0:
            self.away -= 1
            raise TimeoutError("the log did not answer")
        for event in events:
            if len(repr(event.data)) > LARGEST:
                raise Refusal("event", f"{event.type} is too large")
        self.appended.extend((topic, event) for event in events)

    def stream(self, name: str) -> list[Event]:
        """The stream as a reader sees it: an event appended again under its id is dropped."""
        seen: dict[str, Event] = {}
        for _, event in self.appended:
            if event.stream == name:
                seen.setdefault(event.id, event)
        return list(seen.values())
