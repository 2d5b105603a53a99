"""A batch of records on its way: read into events, folded into changes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from domain.event import Event
from eventlog.codec import decode
from eventlog.record import RawRecord
from eventlog.undecodable import Undecodable
from projections.dead_letter import DeadLetter
from projections.states import Stream

Decoded = tuple[RawRecord, Event | Undecodable]


def decoded(records: Iterable[RawRecord]) -> list[Decoded]:
    """Each record with its event, or with why it has none."""
    found: list[Decoded] = []
    for record in records:
        try:
            found.append((record, decode(record.value)))
        except Undecodable as undecodable:
            found.append((record, undecodable))
    return found


@dataclass(slots=True)
class Folded:
    """What one batch changes: rows, sums to add, records to park; `end` is the offset after it.

    `repeated` and `given_up` are the offsets of records that are passed over: applied before, or given up by
    a person where they would be parked. Where every projection is standing, what is in neither, and not
    among the `dead`, was applied.
    """

    start: int
    end: int
    events: int = 0
    newest_ms: int = 0
    last_leaf: bytes | None = None  # of the record before `end`
    touched: dict[str, Stream] = field(default_factory=dict)
    sums: dict[str, dict[tuple[str, ...], list[int]]] = field(default_factory=dict)
    dead: list[DeadLetter] = field(default_factory=list)
    repeated: set[int] = field(default_factory=set)
    given_up: set[int] = field(default_factory=set)

    def absorb(self, later: "Folded") -> None:
        """Take in what follows directly."""
        self.end, self.newest_ms = later.end, max(self.newest_ms, later.newest_ms)
        self.last_leaf = later.last_leaf
        self.events += later.events
        self.touched.update(later.touched)
        self.dead += later.dead
        self.repeated |= later.repeated
        self.given_up |= later.given_up
        for projection, sums in later.sums.items():
            for key, amounts in sums.items():
                self.add(projection, key, amounts)

    def add(self, projection: str, key: tuple[str, ...], amounts: Sequence[int]) -> None:
        sums = self.sums.setdefault(projection, {})
        sums[key] = [a + b for a, b in zip(sums[key], amounts, strict=True)] if key in sums else [*amounts]
