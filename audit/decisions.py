"""Every stream of decisions on the log, event by event as its readers apply it: by the fold that they use."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from audit.discards import Discards, discarded
from domain.conflict import events as conflict
from domain.consensus import events as consensus
from domain.event import Event
from domain.learning import events as learning
from domain.refusal import Refusal
from domain.strict_json import printable
from eventlog.partitioning import partition_of
from eventlog.reader import LogReader
from eventlog.record import RawRecord
from eventlog.topics import topic_of
from projections.batch import decoded
from projections.dead_letter import DeadLetter
from projections.folding import PartitionFold
from projections.in_memory import EVERYTHING
from projections.past import LogPast
from projections.projection import by_category
from projections.registry import PROJECTIONS
from projections.states import States

Progress = Callable[[int, int], None]
SETTLING = (
    *consensus.SETTLING,
    *conflict.SETTLING,
    learning.CycleClosed,
    learning.CycleFailed,
    learning.CycleWithdrawn,
)
TOPICS = ("decisions", "learning")
"""Where streams lie that come to an end."""
UNENDING = ("model/", "budget/")
"""How the names of the streams begin, beside those, that never settle."""
_UNENDING = tuple(begin.encode() for begin in UNENDING)


@dataclass(slots=True)
class Passed:
    """What a reading of the log passed over.

    `left_out`: topic, partition and offset of the records that readers do not apply because a person gave
    them up; `stopped`: streams that stand still at a record that does not follow, and why.
    """

    left_out: set[tuple[str, int, int]] = field(default_factory=set)
    stopped: dict[str, str] = field(default_factory=dict)

    def stop(self, stream: str, at: DeadLetter) -> None:
        event = "" if at.event_id is None else f" (event {at.event_id})"
        self.stopped[stream] = f"stops at offset {at.offset}: {at.kind}, {at.reason}{event}"


async def settled_streams(
    reader: LogReader,
    progress: Progress,
    passed: Passed | None = None,
    follow: Callable[[Event], None] | None = None,
) -> AsyncIterator[list[Event]]:
    """Each stream whose last event, so far, settles it, as the events that readers apply.

    A stream that the projections park ends there: it is not settled, and not given. `passed` is told of such,
    and of records that a person gave up; `follow` of the events of `UNENDING` streams, one by one. Memory is
    held only for streams that are open at the place reached.

    Those end later than the others: what a cycle that has settled was charged for is always among them.
    """
    passed = Passed() if passed is None else passed
    ends = await _places(reader)
    places = await _places(reader)
    total = sum(end - start for start, end in places.values())
    done = 0
    for (topic, partition), (start, end) in places.items():
        fold = await partition_fold(reader, topic, partition)
        streams = _OpenStreams(fold, passed, follow, ends[topic, partition][1])
        async with aclosing(reader.batches(topic, partition, start, end)) as batches:
            async for batch in batches:
                for settled in await streams.take(batch):
                    yield settled
                done += len(batch)
                progress(done, total)


async def _places(reader: LogReader) -> dict[tuple[str, int], tuple[int, int]]:
    return {
        (topic, partition): await reader.beginning_and_end(topic, partition)
        for topic in TOPICS
        for partition in await reader.partitions(topic)
    }


async def stream_events(reader: LogReader, stream: str, passed: Passed | None = None) -> list[Event]:
    """The events of one stream as readers apply them, up to its end or to where it stands still.

    Raises:
        Refusal: there is no such stream, or nothing of it is applied.
    """
    passed = Passed() if passed is None else passed
    batch = decoded(await reader.stream(stream))
    if not batch:
        raise Refusal("stream", f"{printable(stream, 100)} has no event on the log")
    topic = topic_of(stream)
    partitions = len(await reader.partitions(topic))
    fold = await partition_fold(reader, topic, partition_of(stream.encode(), partitions))
    folded = await fold.fold(batch)
    passed.left_out |= {(topic, fold.partition, offset) for offset in folded.given_up}
    unapplied = folded.repeated | folded.given_up | {letter.offset for letter in folded.dead}
    events = [e for record, e in batch if isinstance(e, Event) and record.offset not in unapplied]
    if stream in fold.parked and not (events and isinstance(events[-1].data, SETTLING)):
        passed.stop(stream, folded.dead[0])
    if not events:
        why = passed.stopped.get(stream, "has no event on the log that readers apply")
        raise Refusal("stream", f"{printable(stream, 100)} {why}")
    return events


class _OpenStreams:
    """The streams of one partition that have neither settled nor stopped; no event of others is held.

    Those that never settle go to `follow`, the others are read up to without `end`.
    """

    def __init__(
        self,
        fold: PartitionFold,
        passed: Passed,
        follow: Callable[[Event], None] | None = None,
        end: int | None = None,
    ) -> None:
        self._fold, self._passed, self._follow, self._last = fold, passed, follow, end
        self._open: dict[str, list[Event]] = {}
        self._ended: set[bytes | None] = set()

    async def take(self, records: Sequence[RawRecord]) -> list[list[Event]]:
        """The streams that settle in these records, which must be what follows those before."""
        batch = decoded(record for record in records if self._wanted(record))
        if not batch:
            return []
        folded = await self._fold.fold(batch)
        self._fold.states.age(folded.touched.values())
        parked = {letter.offset: letter for letter in folded.dead}
        settled = []
        for record, event in batch:
            if record.key in self._ended:
                continue  # within a batch as after it: where batches begin must not show
            if record.offset in folded.given_up:
                self._passed.left_out.add((record.topic, record.partition, record.offset))
            elif (letter := parked.get(record.offset)) is not None:
                self._stop(letter)
            elif isinstance(event, Event) and record.offset not in folded.repeated:
                settled += self._applied(event)
        return settled

    def _applied(self, event: Event) -> list[list[Event]]:
        if self._follow is not None and event.stream.startswith(UNENDING):
            self._follow(event)
            return []
        self._open.setdefault(event.stream, []).append(event)
        return [self._end(event.stream)] if isinstance(event.data, SETTLING) else []

    def _wanted(self, record: RawRecord) -> bool:
        if record.key in self._ended:
            return False
        if record.key is not None and record.key.startswith(_UNENDING):
            return self._follow is not None
        return self._last is None or record.offset < self._last

    def _stop(self, letter: DeadLetter) -> None:
        if letter.stream is not None:  # else it stops nothing
            self._passed.stop(letter.stream, letter)
            self._end(letter.stream)

    def _end(self, stream: str) -> list[Event]:
        self._ended.add(stream.encode())
        return self._open.pop(stream, [])


async def partition_fold(reader: LogReader, topic: str, partition: int) -> PartitionFold:
    """What applies the records of a partition as every reader does, from its first one on."""
    discards: Discards = await discarded(reader, topic)
    return PartitionFold(
        by_category(PROJECTIONS, topic),
        LogPast(reader, topic, partition),
        States(EVERYTHING, settled=False),
        partition=partition,
        partitions=len(await reader.partitions(topic)),
        discarded=discards.get(partition, {}),
    )
