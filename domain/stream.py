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


def consensus_stream(deliberation: str) -> str:
    """The stream of a deliberation, and the id of the one workflow that writes it."""
    return f"consensus/{deliberation}"


def docket_stream(docket: str) -> str:
    """The stream of a docket, and the id of the one workflow that writes it and its items."""
    return f"docket/{docket}"


def conflict_stream(case: str) -> str:
    """The stream of a conflict case, and the id of the one workflow that writes it."""
    return f"conflict/{case}"


def learning_stream(cycle: str) -> str:
    """The stream of a learning cycle, and the id of the one workflow that writes it."""
    return f"learning/{cycle}"


def fleet_stream(host: str) -> str:
    """The stream of a node process, and the id of the one workflow that writes it."""
    return f"fleet/{host}"


def budget_stream(ledger: str) -> str:
    """The stream of a privacy ledger, and the id of the one workflow that writes it."""
    return f"budget/{ledger}"


def model_stream(model: str) -> str:
    """The stream of a model's versions, and the id of the one workflow that keeps them."""
    return f"model/{model}"


def item_stream(docket: str, index: int) -> str:
    """The stream of a docket's item at `index` (from 0); the dot keeps it apart from every proposal's."""
    return f"{items_prefix(docket)}{index}"


def items_prefix(docket: str) -> str:
    """What the streams of a docket's items, and no others, begin with."""
    return consensus_stream(f"{docket}.")


def writer_of(stream: str) -> str:
    """The id of the one workflow that may write a stream; an item's is that of its docket."""
    category, _, name = stream.partition("/")
    docket, dot, _ = name.partition(".")
    return docket_stream(docket) if category == "consensus" and dot else stream


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
