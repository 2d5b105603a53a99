"""Names and numbers for the next events of a single-writer stream."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from domain.event import Event, EventData, event_id
from domain.refusal import Refusal
from domain.strict_json import printable

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
ITEM_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,159}")


def check_id(value: str, name: str = "id") -> None:
    """Refuse an id that could not be part of a stream's name, a workflow's id and a file's name alike.

    Raises:
        Refusal: it is not 1 to 128 ASCII letters, digits, `_` or `-`, starting with a letter or digit.
    """
    if not ID.fullmatch(value):
        raise Refusal(
            name,
            f"'{printable(value, 40)}' is not 1 to 128 letters, digits, _ or - (first a letter or digit)",
        )


@dataclass(slots=True)
class Draft:
    """Turns what a decision returned into events: ids from the writer's position, versions without a gap."""

    stream: str
    source: str
    workflow_id: str
    run_id: str
    version: int = 0
    region: str | None = None
    causation_id: str | None = None
    _last: str | None = field(default=None, init=False)

    def events(self, data: Iterable[EventData], at: datetime) -> list[Event]:
        drafted = []
        for item in data:
            self.version += 1
            event = Event(
                id=event_id(at, self.workflow_id, self.run_id, self.stream, self.version),
                stream=self.stream,
                version=self.version,
                time=at,
                data=item,
                source=self.source,
                workflow_id=self.workflow_id,
                run_id=self.run_id,
                causation_id=self._last or self.causation_id,
                correlation_id=self.workflow_id,
                region=self.region,
            )
            self._last = event.id
            drafted.append(event)
        return drafted
