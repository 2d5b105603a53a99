"""The fold of one partition, record by record: what applies, what is a duplicate, what is parked and why.

Live projector, rebuild and audit, replay too, use this one fold; it knows neither Kafka nor Postgres.
"""

from collections.abc import Container, Iterable, Mapping, Sequence

from domain.event import Event
from eventlog.record import RawRecord
from eventlog.undecodable import Undecodable
from projections.batch import Decoded, Folded
from projections.dead_letter import Kind, dead_letter, reason_of, stream_named_by
from projections.misplaced import misplaced
from projections.projection import Projection, additions
from projections.registry import UNROUTED
from projections.seen import Past, Seen
from projections.states import States, Stream

BEHIND = "waits for the parked record before it"


class PartitionFold:
    """Folds the records of one topic partition in the order of their offsets.

    `takers` are the topic's projections by category; those whose name is not in `standing` (None: all)
    get nothing, because their rows are further already. `states` caches what is folded so far; before `fold`,
    every stream in `missing(batch)` must be put there. `discarded` maps the offsets that a person gave up to
    their streams: what would be parked there is passed over, what follows is applied all the same, so that a
    forged discard takes nothing away. `parked` are the streams that stand still. Records whose key belongs to
    another than this `partition` of the topic's `partitions`, or to another region's topic, are parked and
    stop nothing.
    """

    def __init__(
        self,
        takers: Mapping[str, Projection],
        past: Past,
        states: States,
        *,
        partition: int,
        partitions: int,
        standing: Container[str] | None = None,
        discarded: Mapping[int, str | None] | None = None,
        parked: Iterable[str] = (),
    ) -> None:
        self.takers = takers
        everyone: list[Projection] = [UNROUTED, *takers.values()]
        # Of the streams that many write, none is taken for new: a second writer's first write is 1, too.
        self.known = tuple(f"{p.category}/" for p in takers.values() if not p.numbered)
        self.standing = {projection.name for projection in everyone} if standing is None else standing
        self.past = past
        self.states = states
        self.partition, self.partitions = partition, partitions
        self.discarded = discarded or {}
        self.parked = set(parked)

    def missing(
        self, batch: Sequence[Decoded], waiting: Container[str], *, optimistic: bool
    ) -> dict[str, list[str]]:
        """Streams whose stored state the fold of `batch` needs, by category.

        `optimistic`: a stream that begins in this batch with version 1 is taken for new. Its insert fails if
        it was not, and the batch must be folded again without the assumption. What is `waiting` to be
        written is never new: its second self would take the first one's place before the tables saw either.
        """
        seen: set[str] = set()
        found: dict[str, list[str]] = {}
        for _, event in batch:
            if not isinstance(event, Event) or (name := event.stream) in seen:
                continue
            seen.add(name)
            if optimistic and event.version == 1 and name not in waiting and not name.startswith(self.known):
                continue
            if name in self.states:
                continue
            category = name.partition("/")[0]
            taker = self.takers.get(category)
            if taker is not None and taker.name in self.standing:
                found.setdefault(category, []).append(name)
        return found

    async def fold(self, batch: Sequence[Decoded]) -> Folded:
        """Fold `batch`, which must be what follows the batch before it."""
        return await _BatchFold(self, batch).run()


class _BatchFold:
    """The fold of one batch; its own object because the rare paths look around in the batch."""

    def __init__(self, partition: PartitionFold, batch: Sequence[Decoded]) -> None:
        first, last = batch[0][0], batch[-1][0]
        self._partition = partition
        self._batch = batch
        self._out = Folded(
            first.offset, last.offset + 1, len(batch), newest_ms=last.timestamp_ms, last_leaf=last.leaf
        )
        self._seen = Seen(partition.past, partition.states, batch, partition.discarded)
        keys = [record.key for record, _ in batch]
        self._strays = misplaced(keys, first.topic, partition.partition, partition.partitions)

    async def run(self) -> Folded:  # noqa: C901 # one loop: a call per record would cost a tenth of the rate
        get, parked = self._partition.states.get, self._partition.parked
        touched, strays_here = self._out.touched, self._strays
        for index, (record, event) in enumerate(self._batch):
            if record.key in strays_here:
                self._park_stray(record)
                continue
            if not isinstance(event, Event) or record.key != event.stream.encode():
                self._park_unread(record, event)
                continue
            stream = get(event.stream) or self._begin(record, event)
            if stream is None:
                continue
            if event.stream in parked:
                self._park(record, stream, "behind", BEHIND)
                continue
            numbered = stream.projection.numbered
            out_of_turn = numbered and event.version != stream.version + 1
            if out_of_turn and not await self._follows(index, record, event, stream):
                continue
            try:
                state = stream.projection.fold(stream.state, event)
                adding = event.data.__class__ in stream.projection.adding
                added = additions(stream.projection, state, event) if adding else ()
            except Exception as error:  # noqa: BLE001 # whatever the fold dies of must stop its stream alone
                self._park(record, stream, *reason_of(error))
                continue
            if state is stream.state and not numbered:
                self._out.repeated.add(record.offset)
                continue
            stream.state = state
            if stream.version == 0:
                stream.first_offset = record.offset
            stream.version = event.version if numbered else stream.version + 1
            stream.last_id, stream.last_offset = event.id, record.offset
            touched[event.stream] = stream
            for key, amounts in added:
                self._out.add(stream.projection.name, key, amounts)
        return self._out

    def _begin(self, record: RawRecord, event: Event) -> Stream | None:
        category = event.stream.partition("/")[0]
        taker = self._partition.takers.get(category)
        if taker is None:
            reason = f"no projection takes streams of category {category} from this topic"
            self._bury(record, UNROUTED.name, None, "unrouted", reason)
            return None
        if taker.name not in self._partition.standing:
            return None
        stream = Stream(event.stream, taker)
        self._partition.states.put(stream)
        return stream

    def _park(self, record: RawRecord, stream: Stream, kind: Kind, reason: str) -> None:
        self._bury(record, stream.projection.name, stream.name, kind, reason)

    def _park_stray(self, record: RawRecord) -> None:
        """Park a record that lies where its stream is not: the stream itself goes on."""
        if record.key is not None:
            self._bury(record, UNROUTED.name, None, "misfiled", self._strays[record.key])

    def _park_unread(self, record: RawRecord, event: Event | Undecodable) -> None:
        """Park a record whose key, if any, is all that says whose it is."""
        kind: Kind = "misfiled" if isinstance(event, Event) else "undecodable"
        reason = "its key is not its stream" if isinstance(event, Event) else event.reason
        named, category = stream_named_by(record.key) or (None, "")
        taker = self._partition.takers.get(category)
        if taker is not None and named in self._partition.parked:
            kind, reason = "behind", BEHIND
        if taker is None:
            self._bury(record, UNROUTED.name, None, kind, reason)
        else:
            self._bury(record, taker.name, named, kind, reason)

    def _bury(self, record: RawRecord, projection: str, stream: str | None, kind: Kind, reason: str) -> None:
        """Park a record and the stream that it stops; one that a person gave up is passed over instead."""
        if kind != "behind" and record.offset in self._partition.discarded:
            self._out.given_up.add(record.offset)
            return
        if stream is not None:
            self._partition.parked.add(stream)
        if projection in self._partition.standing:
            self._out.dead.append(dead_letter(record, projection, stream, kind, reason))

    async def _follows(self, index: int, record: RawRecord, event: Event, stream: Stream) -> bool:
        """Whether an event that is not the next version applies all the same; else skip or park it."""
        if event.version > stream.version:
            if self._given_up_between(stream, record.offset):
                return True
            self._park(record, stream, "gap", f"is version {event.version}, but {stream.version + 1} is next")
        elif event.id == await self._id_of(index, stream, event.version):
            self._out.repeated.add(record.offset)
        else:
            self._park(record, stream, "fork", f"version {event.version} is taken by another event")
        return False

    async def _id_of(self, index: int, stream: Stream, version: int) -> str | None:
        if version == stream.version:
            return stream.last_id
        return await self._seen.applied_id(index, stream.name, version)

    def _given_up_between(self, stream: Stream, offset: int) -> bool:
        """Whether a person gave up a record where the versions break off: the count then goes on after it."""
        discarded = self._partition.discarded
        return any(stream.last_offset < o < offset and discarded[o] == stream.name for o in discarded)
