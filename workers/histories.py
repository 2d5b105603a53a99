"""What a workflow's history says of the log: every event that its activities were told to append."""

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, TypeVar

import msgspec
from temporalio.client import WorkflowHistory

from activities.append import Entry, StreamAppend, event_of
from activities.docket_slices import Slices
from activities.docket_tasks import DecideSlice
from domain.event import Event
from domain.refusal import Refusal
from domain.stream import item_stream
from eventlog import upcast
from eventlog.catalogue import BY_TYPE
from workflows.payloads import CONVERTER

T = TypeVar("T")
Appended = tuple[Event, bool]
"""An event, and whether the log acknowledged it: else it may be there, or come yet."""

_APPENDS = frozenset({"open_stream", "append_events"})
_SLICE = "decide_slice"


class SliceLost(Refusal):
    """A slice of a docket cannot be decided again: its table or its estimate is not in the store."""


async def appended(
    history: WorkflowHistory, slices: Slices, wanted: Callable[[str], bool]
) -> AsyncIterator[Appended]:
    """The events of one run, in order.

    A docket's activities hold no events: those of its items are decided again, as far as they are `wanted`.

    Raises:
        SliceLost: the events of items cannot be told.
        Refusal, temporalio.exceptions.ApplicationError, msgspec.MsgspecError: the history is not readable.
    """
    done, failed = _ended(history.events)
    lost: Refusal | None = None
    for event in history.events:
        if not event.HasField("activity_task_scheduled_event_attributes") or event.event_id in failed:
            continue  # what the log refused was not written, not even in part
        told = event.activity_task_scheduled_event_attributes
        name, durable = told.activity_type.name, event.event_id in done
        if name in _APPENDS:
            for written in _of_append(await _read(StreamAppend, told.input)):
                yield written, durable
        elif name == _SLICE:
            task = await _read(DecideSlice, told.input)
            if any(wanted(item_stream(task.request.id, n)) for n in range(task.first, task.last)):
                try:
                    decided, _ = await slices.decide(task)
                except Refusal as refusal:
                    lost, decided = refusal, []
                for written in decided:
                    yield written, durable
    if lost is not None:
        raise SliceLost(lost.field, lost.problem)


def _ended(events: Iterable[Any]) -> tuple[set[int], set[int]]:
    """The activities that completed and those that failed for good, by the event that scheduled them."""
    done, failed = set(), set()
    for event in events:
        if event.HasField("activity_task_completed_event_attributes"):
            done.add(event.activity_task_completed_event_attributes.scheduled_event_id)
        elif event.HasField("activity_task_failed_event_attributes"):
            failed.add(event.activity_task_failed_event_attributes.scheduled_event_id)
    return done, failed


async def _read(kind: type[T], payloads: Any) -> T:
    value: T
    (value,) = await CONVERTER.decode(list(payloads.payloads), [kind])
    return value


def _of_append(request: StreamAppend) -> list[Event]:
    return [event_of(request, entry, _data(entry)) for entry in request.entries]


def _data(entry: Entry) -> Any:
    """What the entry says, in today's form."""
    earlier = upcast.UPCASTERS.get(entry.type)
    if earlier is not None:
        return upcast.to_current(entry.type, msgspec.convert(entry.data, earlier.shape))
    if entry.type not in BY_TYPE:
        raise Refusal("type", f"{entry.type} is no event type of this version")
    return msgspec.convert(entry.data, BY_TYPE[entry.type])
