"""What a region passes on to another: its own writes, the urgent ones first."""

from collections.abc import Iterable
from itertools import groupby

from domain.context.events import Written, stream_of
from domain.context.priority import sync_priority
from domain.context.recording import wall_of
from domain.event import Event


def own_write(event: Event, region: str) -> Written | None:
    """The write that `region` itself made and has in this event; None for all else.

    What came from another region is passed on by that one, so that nothing goes round in circles. An event
    that does not lie in the stream of its write, or tells another number or time, was put there by no node
    that works.
    """
    write = event.data
    if not isinstance(write, Written) or write.region != region:
        return None
    if event.version != write.counter or wall_of(event) != write.wall:
        return None
    return write if event.stream == stream_of(region, write.layer, write.key) else None


def by_urgency(writes: Iterable[Written]) -> list[list[Written]]:
    """`writes` grouped by sync priority, the highest first; first in, first out within a group."""
    ordered = sorted(writes, key=_urgency)
    return [list(group) for _, group in groupby(ordered, _urgency)]


def _urgency(write: Written) -> int:
    return -sync_priority(write.flags)
