"""What the raw log says of each stream once repeated ids are dropped, and all that is wrong with it."""

import hashlib
from collections.abc import AsyncIterator, Collection
from contextlib import aclosing

from domain.consensus.events import Decided
from domain.event import Event
from eventlog.codec import decode
from eventlog.reader import LogReader
from eventlog.record import RawRecord
from eventlog.undecodable import Undecodable
from workers.settings import Settings

Ends = dict[int, int]


class Ledger:
    """Takes every record of a log in the order of its offsets; trusts no projection, fold or audit.

    `faults` are lines, one for each thing that exactly-once writing must not leave behind. A record with the
    id of one before it and the very same bytes is a repetition: counted, no fault.
    """

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.records = self.repeated = 0
        self._versions: dict[str, list[str]] = {}  # a stream's ids, in the order of its versions
        self._contents: dict[str, bytes] = {}  # by id
        self._decided: dict[str, int] = {}

    def take(self, record: RawRecord) -> None:
        self.records += 1
        try:
            event = decode(record.value)
        except Undecodable as error:
            self.faults.append(f"offset {record.offset} of {record.partition} is no event: {error.reason}")
            return
        content = hashlib.sha256(record.value).digest()[:16]
        known = self._contents.get(event.id)
        if known is None:
            self._contents[event.id] = content
            self._take_new(event)
        elif known == content:
            self.repeated += 1
        else:
            self.faults.append(f"{event.stream} {event.version}: the id {event.id} bears two contents")

    @property
    def streams(self) -> set[str]:
        return set(self._versions)

    @property
    def ids(self) -> set[str]:
        return set(self._contents)

    def judged(self, items: Collection[str]) -> list[str]:
        """All faults, when exactly the streams `items` were to be decided, once each."""
        wanted = set(items)
        counts = {stream: self._decided.get(stream, 0) for stream in sorted(wanted)}
        found = [f"{stream} is decided {n} times" for stream, n in counts.items() if n != 1]
        found += [f"{stream} was decided unasked" for stream in sorted(self._decided.keys() - wanted)]
        return [*self.faults, *found]

    def _take_new(self, event: Event) -> None:
        ids = self._versions.setdefault(event.stream, [])
        if event.version <= len(ids):
            before = ids[event.version - 1]
            self.faults.append(f"{event.stream} {event.version} is a fork: {event.id} after {before}")
        elif event.version > len(ids) + 1:
            self.faults.append(f"{event.stream} has a gap: {event.version} after {len(ids)}")
        else:
            ids.append(event.id)
        if isinstance(event.data, Decided):  # a fork too: what matters is how many decisions a reader finds
            self._decided[event.stream] = self._decided.get(event.stream, 0) + 1


async def ends(settings: Settings, topic: str = "decisions") -> Ends:
    """The offset of each partition of `topic` that the next record will have."""
    async with LogReader(settings.kafka, settings.topic_prefix) as reader:
        return {p: (await reader.beginning_and_end(topic, p))[1] for p in await reader.partitions(topic)}


async def read(settings: Settings, since: Ends, topic: str = "decisions") -> Ledger:
    """The ledger of everything on `topic` from the offsets `since` on."""
    ledger = Ledger()
    async with LogReader(settings.kafka, settings.topic_prefix) as reader:
        for partition in await reader.partitions(topic):
            async for record in _records(reader, topic, partition, since[partition]):
                ledger.take(record)
    return ledger


async def _records(reader: LogReader, topic: str, partition: int, start: int) -> AsyncIterator[RawRecord]:
    _, end = await reader.beginning_and_end(topic, partition)
    async with aclosing(reader.batches(topic, partition, start, end)) as batches:
        async for batch in batches:
            for record in batch:
                yield record
