"""Every stream of decisions on the log, event by event as its readers apply it."""

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

from domain.consensus.events import Decided, DocketClosed
from domain.event import Event
from domain.refusal import Refusal
from eventlog.codec import decode
from eventlog.partitioning import strays
from eventlog.reader import LogReader
from eventlog.record import RawRecord
from eventlog.undecodable import Undecodable

TOPIC = "decisions"

Progress = Callable[[int, int], None]


async def settled_streams(reader: LogReader, progress: Progress) -> AsyncIterator[list[Event]]:
    """Each stream whose last event, so far, settles it, as the events 1, 2, 3, … that readers apply.

    Repeated ids are dropped, and records in a wrong partition. A stream that holds a fork, a gap, an
    unreadable or a misfiled event ends before it, as it does in the projections, which park it; one that is
    not settled is not given. Memory is held only for streams that are open at the place reached.
    """
    places = [
        (partition, await reader.beginning_and_end(TOPIC, partition))
        for partition in await reader.partitions(TOPIC)
    ]
    total = sum(end - start for _, (start, end) in places)
    done = 0
    for partition, (start, end) in places:
        streams = _Streams()
        async with aclosing(reader.batches(TOPIC, partition, start, end)) as batches:
            async for batch in batches:
                elsewhere = strays([record.key for record in batch], partition, len(places))
                for record in batch:
                    settled = streams.take(record) if record.key not in elsewhere else None
                    if settled is not None:
                        yield settled
                done += len(batch)
                progress(done, total)


class _Streams:
    """The open streams of one partition."""

    def __init__(self) -> None:
        self._open: dict[str, list[Event]] = {}
        self._closed: set[str] = set()

    def take(self, record: RawRecord) -> list[Event] | None:
        name = (record.key or b"").decode(errors="replace")
        if name in self._closed:
            return None
        events = self._open.setdefault(name, [])
        parked = _parked(record, events)
        if parked is None and not _settled(events):
            return None
        del self._open[name]
        self._closed.add(name)
        return events if parked is None else None


async def stream_events(reader: LogReader, stream: str) -> list[Event]:
    """The events of one stream as readers apply them, up to the one that settles it.

    Raises:
        Refusal: there is no such stream, or one of its records is none that follows.
    """
    events: list[Event] = []
    for record in await reader.stream(stream):
        parked = _parked(record, events)
        if parked is not None:
            raise Refusal("stream", f"{stream} stops at offset {record.offset}: {parked}")
        if _settled(events):
            break
    if not events:
        raise Refusal("stream", f"{stream} has no event on the log")
    return events


def _parked(record: RawRecord, events: list[Event]) -> str | None:
    """Why readers park this record of the stream; None if its event is added to `events` or is there."""
    try:
        event = decode(record.value)
    except Undecodable as error:
        return f"it cannot be read: {error.reason}"
    if record.key != event.stream.encode():
        return "its key is not its stream"
    if event.version > len(events) + 1:
        return f"it is version {event.version}, but {len(events) + 1} is next"
    if event.version == len(events) + 1:
        events.append(event)
    elif events[event.version - 1].id != event.id:
        return f"version {event.version} is taken by another event"
    return None


def _settled(events: list[Event]) -> bool:
    return bool(events) and isinstance(events[-1].data, Decided | DocketClosed)
