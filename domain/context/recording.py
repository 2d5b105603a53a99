"""The event of a write, as it lies on the topic of a region; any number of writers make the same one."""

from datetime import UTC, datetime, timedelta

from domain.context.events import Written, stream_of
from domain.context.possible import check_write
from domain.context.region import check_region
from domain.context.residency import Residency
from domain.event import Event, event_id
from domain.making import maker

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_event = maker(Event)


def recorded(write: Written, region: str, residency: Residency) -> Event:
    """The event that tells `region` of `write`: the same bytes whoever writes it, and however often.

    Its id comes from the dot, its version is the dot's counter, its time the wall part of the clock. In
    another region than the one it was written in, its cause is the event there. There is no other way to make
    an event for a region's topic, so nothing that is pinned elsewhere gets there.

    Raises:
        PinnedElsewhere: `residency` keeps the value out of `region`.
        Refusal: `region` is no name of a region, or the write could not have been made.
    """
    check_region(region)
    check_write(write)
    residency.check(write.layer, write.key, region)
    at = _EPOCH + write.wall * _MILLISECOND
    there = stream_of(region, write.layer, write.key)
    home = there if write.region == region else stream_of(write.region, write.layer, write.key)
    return _event(
        id=event_id(at, there, write.node, write.counter),
        stream=there,
        version=write.counter,
        time=at,
        data=write,
        source=f"node/{write.node}",
        causation_id=None if there == home else event_id(at, home, write.node, write.counter),
        correlation_id=None if write.case is None else f"conflict/{write.case}",
        region=write.region,
    )


def wall_of(event: Event) -> int:
    """Unix milliseconds of the event's time, rounded down."""
    return (event.time - _EPOCH) // _MILLISECOND
