"""Every stream of decisions on the log, event by event as its readers apply it."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

from audit.discards import TOPIC, discarded
from domain.conflict import events as conflict
from domain.consensus import events as consensus
from domain.event import Event
from domain.refusal import Refusal
from eventlog.codec import decode, peek
from eventlog.partitioning import strays
from eventlog.reader import LogReader
from eventlog.record import RawRecord
from eventlog.undecodable import Undecodable
from projections.projection import additions, by_category
from projections.registry import PROJECTIONS

Progress = Callable[[int, int], None]
SETTLING = (*consensus.SETTLING, *conflict.SETTLING)


@dataclass(slots=True)
class Passed:
    """What a reading of the log passed over.

    `left_out`: partition and offset of the records that readers do not apply because a person gave them up;
    `stopped`: streams that stand still at a record that does not follow, and why.
    """

    left_out: set[tuple[int, int]] = field(default_factory=set)
    stopped: dict[str, str] = field(default_factory=dict)


async def settled_streams(
    reader: LogReader, progress: Progress, passed: Passed | None = None
) -> AsyncIterator[list[Event]]:
    """Each stream whose last event, so far, settles it, as the events 1, 2, 3, … that readers apply.

    Repeated ids are dropped, and records in a wrong partition. A stream that holds a fork, a gap, an
    unreadable or a misfiled event ends before it, as it does in the projections, which park it, unless a
    person gave that record up; one that is not settled is not given. `passed` is told of both. Memory is held
    only for streams that are open at the place reached.
    """
    discards, passed = await discarded(reader), Passed() if passed is None else passed
    places = [
        (partition, await reader.beginning_and_end(TOPIC, partition))
        for partition in await reader.partitions(TOPIC)
    ]
    total = sum(end - start for _, (start, end) in places)
    done = 0
    for partition, (start, end) in places:
        streams = _Streams(discards.get(partition, {}), passed)
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

    def __init__(self, given_up: Mapping[int, str | None], passed: Passed) -> None:
        self._given_up, self._passed = given_up, passed
        self._open: dict[str, _Reading] = {}
        self._closed: set[str] = set()

    def take(self, record: RawRecord) -> list[Event] | None:
        name = (record.key or b"").decode(errors="replace")
        if name in self._closed:
            return None
        reading = self._open.setdefault(name, _Reading(name, self._given_up, self._passed))
        parked = reading.take(record)
        if parked is None and not reading.settled:
            return None
        del self._open[name]
        self._closed.add(name)
        return reading.events if parked is None else None


async def stream_events(reader: LogReader, stream: str, passed: Passed | None = None) -> list[Event]:
    """The events of one stream as readers apply them, up to the one that settles it.

    What follows it is looked at only for what a person gave up; `passed` is told of that.

    Raises:
        Refusal: there is no such stream, or one of its records is none that follows.
    """
    passed = Passed() if passed is None else passed
    discards = await discarded(reader)
    reading: _Reading | None = None
    for record in await reader.stream(stream):
        if reading is None:
            reading = _Reading(stream, discards.get(record.partition, {}), passed)
        if reading.take(record) is not None and not reading.settled:
            raise Refusal("stream", f"{stream} {passed.stopped[stream]}")
    if reading is None or not reading.events:
        raise Refusal("stream", f"{stream} has no event on the log")
    return reading.events


class _Reading:
    """How far one stream is read."""

    def __init__(self, name: str, given_up: Mapping[int, str | None], passed: Passed) -> None:
        self._name, self._given_up, self._passed = name, given_up, passed
        self._ids: dict[int, str] = {}
        self._last = -1
        self._gap = False  # whether versions are missing that a person gave up
        self.events: list[Event] = []

    @property
    def settled(self) -> bool:
        return bool(self.events) and isinstance(self.events[-1].data, SETTLING)

    def take(self, record: RawRecord) -> str | None:
        """Why readers park this record; None if its event was added, is there already, or was given up."""
        given_up = record.offset in self._given_up
        event, parked = self._next(record)
        # Where all is there a replay decides whether it follows; after a gap only the read model does.
        self._gap |= event is not None and event.version != len(self.events) + 1
        if event is not None and (given_up or self._gap) and not self._possible(event):
            parked = "it cannot follow"
        if parked is not None and given_up:
            self._passed.left_out.add((record.partition, record.offset))
            heading = peek(record.value)
            if heading is not None:  # when it comes again, it is no fork
                self._ids.setdefault(heading.version, heading.id)
            return None
        if parked is not None and not self.settled:
            self._passed.stopped[self._name] = f"stops at offset {record.offset}: {parked}"
        if parked is None and event is not None:
            self.events.append(event)
            self._ids[event.version], self._last = event.id, record.offset
        return parked

    def _next(self, record: RawRecord) -> tuple[Event | None, str | None]:
        """The record's event, if it is the stream's next; else why not, if it is not there already."""
        try:
            event = decode(record.value)
        except Undecodable as error:
            return None, f"it cannot be read: {error.reason}"
        if record.key != event.stream.encode():
            return None, "its key is not its stream"
        last = self.events[-1].version if self.events else 0
        if event.version <= last:
            same = self._ids.get(event.version) == event.id
            return None, None if same else f"version {event.version} is taken by another event"
        if self.settled:
            return None, "it comes after the end"
        if event.version > last + 1 and not self._gap_given_up(record.offset):
            return None, f"it is version {event.version}, but {last + 1} is next"
        return event, None

    def _gap_given_up(self, offset: int) -> bool:
        """Whether a person gave up a record where the versions break off: readers then go on after it."""
        return any(
            self._last < there < offset and name == self._name for there, name in self._given_up.items()
        )

    def _possible(self, event: Event) -> bool:
        """Whether the read model applies `event` after what it applied."""
        taker = by_category(PROJECTIONS, TOPIC).get(self._name.partition("/")[0])
        if taker is None:
            return False
        state = None
        try:
            for each in (*self.events, event):
                state = taker.fold(state, each)
            additions(taker, state, event)
        except Exception:  # noqa: BLE001 # whatever the fold dies of parks the record
            return False
        return True
