"""Every stream of decisions on the log, event by event as its readers apply it."""

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

from domain.event import Event
from domain.refusal import Refusal
from eventlog.codec import Undecodable, decode
from eventlog.reader import LogReader
from eventlog.record import RawRecord

TOPIC = "decisions"

Progress = Callable[[int, int], None]


async def settled_streams(reader: LogReader, progress: Progress) -> AsyncIterator[list[Event]]:
    """Each stream whose last event, so far, settles it, as the events 1, 2, 3, … that readers apply.

    Repeated ids are dropped. A stream that holds a fork, a gap or an unreadable event ends before it, as it
    does in the projections, which park it; one that is not settled is not given. Memory is held only for
    streams that are open at the place reached.
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
                for record in batch:
                    settled = streams.take(record)
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
        try:
            event = decode(record.value)
        except Undecodable:
            self._close((record.key or b"").decode(errors="replace"))
            return None
        name = event.stream
        if name in self._closed:
            return None
        events = self._open.setdefault(name, [])
        if event.version <= len(events):
            if events[event.version - 1].id != event.id:
                self._close(name)
            return None
        if event.version != len(events) + 1:
            self._close(name)
            return None
        events.append(event)
        if event.type not in SETTLING:
            return None
        self._close(name)
        return events

    def _close(self, name: str) -> None:
        self._open.pop(name, None)
        self._closed.add(name)


SETTLING = frozenset({"consensus.decided.v1", "docket.closed.v1"})


async def stream_events(reader: LogReader, stream: str) -> list[Event]:
    """The events of one stream as readers apply them: repeated ids dropped.

    Raises:
        Refusal: there is no such stream, or one of its records cannot be read.
    """
    events: list[Event] = []
    for record in await reader.stream(stream):
        try:
            event = decode(record.value)
        except Undecodable as error:
            raise Refusal("stream", f"offset {record.offset} cannot be read: {error.reason}") from None
        if event.version == len(events) + 1:
            events.append(event)
    if not events:
        raise Refusal("stream", f"{stream} has no event on the log")
    return events
