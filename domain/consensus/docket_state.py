"""A docket as its own stream tells it: opened, estimated, decided slice by slice, closed."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import assert_never

from domain.consensus.commands import MAX_REASON
from domain.consensus.events import (
    DocketClosed,
    DocketEstimated,
    DocketEvent,
    DocketOpened,
    DocketWithdrawn,
    SliceDecided,
)
from domain.event import Event
from domain.refusal import ImpossibleEvent
from domain.strict_json import printable

MAX_SLICES = 200
LEAST_SLICE = 500


@dataclass(frozen=True, slots=True)
class DocketState:
    """How far a docket is; `NO_DOCKET` before its first event."""

    opened: DocketOpened | None = None
    estimated: DocketEstimated | None = None
    slices: tuple[SliceDecided, ...] = ()
    statuses: Counter[str] = field(default_factory=Counter)
    closed: DocketClosed | None = None
    withdrawn: DocketWithdrawn | None = None

    @property
    def decided(self) -> int:
        """How many items stand decided on the log."""
        return sum(part.last - part.first for part in self.slices)


NO_DOCKET = DocketState()


def slices(items: int) -> list[tuple[int, int]]:
    """The item ranges [first, last) that are decided together.

    At least 500 items a slice, so that Temporal's cost of a step is shared by many; at most 200 slices, so
    that the workflow's history stays small whatever the table's size.
    """
    size = max(LEAST_SLICE, -(-items // MAX_SLICES))
    return [(first, min(first + size, items)) for first in range(0, items, size)]


def fold_docket(state: DocketState, event: Event) -> DocketState:
    """The state after `event`.

    Raises:
        ImpossibleEvent: the event is none of a docket's or cannot follow what was folded so far.
    """
    data = event.data
    if not isinstance(data, DocketEvent):
        raise ImpossibleEvent("type", f"{event.type} is no event of a docket")
    if (state.opened is None) != isinstance(data, DocketOpened):
        when = "before" if state.opened is None else "after"
        raise ImpossibleEvent("type", f"{event.type} {when} the opening")
    if state.closed is not None or state.withdrawn is not None:
        end = "close" if state.closed is not None else "withdrawal"
        raise ImpossibleEvent("type", f"{event.type} after the {end}")
    match data:
        case DocketOpened():
            return replace(state, opened=data)
        case DocketEstimated():
            return _estimated(state, data)
        case SliceDecided():
            return _slice_decided(state, data)
        case DocketClosed():
            return _closed(state, data)
        case DocketWithdrawn():
            return _withdrawn(state, data)
        case _:
            assert_never(data)


def fold_docket_all(state: DocketState, events: Iterable[Event]) -> DocketState:
    """The state after all of `events`."""
    for event in events:
        state = fold_docket(state, event)
    return state


def _estimated(state: DocketState, data: DocketEstimated) -> DocketState:
    if state.estimated is not None or state.slices:
        raise ImpossibleEvent("type", "a second estimate, or one after items were decided")
    return replace(state, estimated=data)


def _slice_decided(state: DocketState, data: SliceDecided) -> DocketState:
    if any(data.first < part.last and part.first < data.last for part in state.slices):
        raise ImpossibleEvent("first", f"items {data.first} to {data.last} overlap items decided before")
    return replace(state, slices=(*state.slices, data), statuses=state.statuses + Counter(data.statuses))


def _closed(state: DocketState, data: DocketClosed) -> DocketState:
    if state.opened is None or state.decided != state.opened.items or data.items != state.opened.items:
        raise ImpossibleEvent("items", "a close before every item was decided")
    return replace(state, closed=data)


def _withdrawn(state: DocketState, data: DocketWithdrawn) -> DocketState:
    if data.decided != state.decided:
        raise ImpossibleEvent(
            "decided", f"a withdrawal tells of {data.decided} decided items, not {state.decided}"
        )
    return replace(state, withdrawn=data)


def withdraw(state: DocketState, reason: str) -> list[DocketWithdrawn]:
    """Take a docket back; what is decided stays so. Nothing for one that has ended or was never opened."""
    if state.opened is None or state.closed is not None or state.withdrawn is not None:
        return []
    return [DocketWithdrawn("temporal", printable(reason, MAX_REASON), state.decided)]
