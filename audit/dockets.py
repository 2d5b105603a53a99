"""A docket put together again from the ballots that its items recorded."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from domain.consensus.ballot_table import BallotTable, Label, natural
from domain.consensus.events import BallotCast, Decided, Opened
from domain.event import Event
from domain.stream import item_stream

_MOST_DIGITS = 18


def item_index(events: Sequence[Event]) -> int | None:
    """Which item of its docket a stream is; None where its name is not one that a docket gives."""
    opened, stream = events[0].data, events[0].stream
    if not isinstance(opened, Opened) or opened.docket is None:
        return None
    number = stream.removeprefix(item_stream(opened.docket, 0)[:-1])
    plain = number.isascii() and number.isdecimal() and len(number) <= _MOST_DIGITS
    return int(number) if plain and stream == item_stream(opened.docket, int(number)) else None


@dataclass(frozen=True, slots=True)
class RecordedItem:
    """One item: its number in the docket, its labels as (voter, choice), and what was recorded of it."""

    index: int
    name: str
    labels: tuple[tuple[str, str], ...]
    posterior: dict[str, float]
    event_id: str


@dataclass(slots=True)
class DocketRecord:
    """The items of one docket that were read so far."""

    items: dict[int, RecordedItem] = field(default_factory=dict)
    choices: set[str] = field(default_factory=set)
    weighting: str = ""

    def take(self, events: Sequence[Event]) -> None:
        """Add the settled item whose events these are."""
        opened, decided, index = events[0].data, events[-1].data, item_index(events)
        if not isinstance(opened, Opened) or not isinstance(decided, Decided) or index is None:
            return
        labels = tuple(
            (event.data.voter, label)
            for event in events
            if isinstance(event.data, BallotCast)
            for label in (event.data.labels or ((event.data.choice,) if event.data.choice else ()))
        )
        name = opened.item or opened.proposal.id
        self.weighting = opened.policy.weighting
        self.choices.update(label for _, label in labels)
        self.items[index] = RecordedItem(index, name, labels, decided.posterior or {}, events[-1].id)

    def in_order(self) -> list[RecordedItem]:
        return [self.items[index] for index in sorted(self.items)]

    def table(self) -> BallotTable | None:
        """The table of labels, in the docket's order; None while an item before the last is missing."""
        items = self.in_order()
        if [item.index for item in items] != list(range(len(items))):
            return None
        voters = sorted({voter for item in items for voter, _ in item.labels}, key=natural)
        choices = sorted(self.choices, key=natural)
        place, column = {v: n for n, v in enumerate(voters)}, {c: n for n, c in enumerate(choices)}
        labels: list[Label] = [
            (row, place[voter], column[choice], None)
            for row, item in enumerate(items)
            for voter, choice in item.labels
        ]
        return BallotTable(tuple(item.name for item in items), tuple(voters), tuple(choices), tuple(labels))
