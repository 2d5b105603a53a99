"""What the log holds of every stream that a workflow writes, 32 bytes an event, until it is vouched for."""

import hashlib
import struct
from collections.abc import Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from audit.decisions import Progress
from domain.event import Event
from eventlog.partitioning import strays
from eventlog.reader import LogReader
from eventlog.record import RawRecord
from eventlog.undecodable import Undecodable
from projections.batch import decoded
from projections.in_memory import Place

TOPICS = ("decisions", "learning", "fleet")
"""Where streams lie of which each is written by the workflow of its name."""
_ENTRY = struct.Struct(">?Bhqi16s")
_MARK = struct.Struct(">i16s")
_BEFORE_MARK = _ENTRY.size - _MARK.size
UNREAD = 0
"""The version of a record that is no event of its stream."""


class Held(NamedTuple):
    """One record that nobody vouched for so far."""

    topic: str
    partition: int
    offset: int
    version: int


def digest(event: Event) -> bytes:
    """16 bytes of SHA-256 over all that an event says, in today's form whatever form it was stored in."""
    return hashlib.sha256(msgspec.json.encode(event)).digest()[:16]


@dataclass(slots=True)
class Ledger:
    """Every record of the streams that are `wanted`; a repeated one once.

    `ends` is how far each partition of each topic was read. Records in a partition that is not their key's
    are left out: they are part of no stream.
    """

    wanted: Callable[[str], bool] = lambda _: True
    ends: dict[Place, int] = field(default_factory=dict)
    _streams: dict[str, bytearray] = field(default_factory=dict)

    async def read(self, reader: LogReader, progress: Progress) -> None:
        """Take in what was written since it was last read."""
        counts = {topic: len(await reader.partitions(topic)) for topic in TOPICS}
        every = [(topic, partition) for topic in TOPICS for partition in range(counts[topic])]
        places = {place: await reader.beginning_and_end(*place) for place in every}
        starts = {place: self.ends.get(place, first) for place, (first, _) in places.items()}
        total, done = sum(end - starts[place] for place, (_, end) in places.items()), 0
        for place, (_, end) in places.items():
            async with aclosing(reader.batches(*place, starts[place], end)) as batches:
                async for batch in batches:
                    self._take_all(batch, place[1], counts[place[0]])
                    done += len(batch)
                    progress(done, total)
            self.ends[place] = end

    def __iter__(self) -> Iterator[str]:
        return iter(self._streams)

    def strike(self, event: Event) -> bool:
        """Vouch for `event`: whether the log holds it just so, as that version of that stream."""
        held, mark = self._streams.get(event.stream), _MARK.pack(event.version, digest(event))
        at = -1 if held is None else held.find(mark)
        while held is not None and at >= 0 and at % _ENTRY.size != _BEFORE_MARK:  # found across two entries
            at = held.find(mark, at + 1)
        if held is None or at < 0:
            return False
        held[at - _BEFORE_MARK] = True
        return True

    def left(self, stream: str) -> list[Held]:
        """The records of `stream` that nobody vouched for, in the order of the log."""
        entries = _ENTRY.iter_unpack(self._streams.get(stream, b""))
        return [Held(TOPICS[topic], *place) for vouched, topic, *place, _ in entries if not vouched]

    def _take_all(self, batch: list[RawRecord], partition: int, partitions: int) -> None:
        elsewhere = strays([record.key for record in batch], partition, partitions)
        mine = [r for r in batch if r.key not in elsewhere and self.wanted(stream_of(r))]
        for record, event in decoded(mine):
            self._take(record, event)

    def _take(self, record: RawRecord, event: Event | Undecodable) -> None:
        if isinstance(event, Event) and record.key == event.stream.encode():
            mark = _MARK.pack(event.version, digest(event))
        else:
            mark = _MARK.pack(UNREAD, hashlib.sha256(record.value).digest()[:16])
        held = self._streams.setdefault(stream_of(record), bytearray())
        if mark not in held:
            where = TOPICS.index(record.topic), record.partition, record.offset
            held += _ENTRY.pack(False, *where, *_MARK.unpack(mark))


def stream_of(record: RawRecord) -> str:
    """The stream that a record's key names, whether there can be such a stream or not."""
    return "(no key)" if record.key is None else record.key.decode(errors="replace")
