"""Streams that never settle, taken again as far as the log goes: privacy ledgers, and models' versions."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from audit.budgets import LedgerReplay
from audit.divergent import Divergent
from audit.grounds import Epsilon, unaccounted
from audit.versions import VersionsReplay
from domain.event import Event

_MODEL = "model/"


@dataclass(slots=True)
class Unending:
    """By stream; of none of them is more than the state held, however long it is."""

    epsilon: Epsilon = unaccounted
    ledgers: dict[str, LedgerReplay] = field(default_factory=dict)
    models: dict[str, VersionsReplay] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """The next event of one of them."""
        stream = event.stream
        if stream.startswith(_MODEL):
            self.models.setdefault(stream, VersionsReplay()).take(event)
        elif stream in self.ledgers:
            self.ledgers[stream].take(event)
        else:
            self.ledgers[stream] = LedgerReplay(self.epsilon)
            self.ledgers[stream].take(event)

    def take_all(self, events: Iterable[Event]) -> None:
        for event in events:
            self.take(event)

    @property
    def charges(self) -> int:
        return sum(one.charges for one in self.ledgers.values())

    @property
    def versions(self) -> int:
        return sum(one.versions for one in self.models.values())

    @property
    def divergent(self) -> list[Divergent]:
        """What does not follow, stream by stream."""
        every: dict[str, LedgerReplay | VersionsReplay] = {**self.ledgers, **self.models}
        return [divergent for _, one in sorted(every.items()) for divergent in one.divergent]
