"""A log in memory, read as `eventlog.reader.LogReader` reads Kafka's."""

import asyncio

from eventlog.codec import encode
from eventlog.partitioning import partition_of
from eventlog.record import LastRead, RawRecord, RetentionLost
from eventlog.topics import TOPICS, is_sealed, regional_topics, topic_of


class MemoryReader:
    """`places` maps (topic, partition) to its records; offsets may have gaps, as Kafka's do.

    `counts` are the partitions of each topic, one where it says nothing.
    """

    def __init__(self):
        self.places = {}
        self.counts = {}
        self.ends = {}
        self._more = asyncio.Event()

    def append(self, events, topic="decisions", partition=None):
        """Put `events` on the log, by default where they belong; the offset after the last."""
        for event in events:
            key = event.stream.encode()
            place = partition_of(key, self.counts.get(topic, 1)) if partition is None else partition
            self.put(encode(event), key, topic, place, int(event.time.timestamp() * 1000))
        return self.end(topic, place)

    def put(self, value, key=None, topic="decisions", partition=0, timestamp_ms=0):
        """Put raw bytes on the log; their offset."""
        offset = self.end(topic, partition)
        record = RawRecord(topic, partition, offset, timestamp_ms, key, value)
        self.places.setdefault((topic, partition), []).append(record)
        self.ends[topic, partition] = offset + 1
        self._more.set()
        return offset

    def skip(self, offsets, topic="decisions", partition=0):
        """Leave a gap, as a transaction's marker does."""
        self.ends[topic, partition] = self.end(topic, partition) + offsets

    def end(self, topic="decisions", partition=0):
        return self.ends.get((topic, partition), 0)

    async def name(self):
        return "@memory"

    async def topics(self):
        return [*TOPICS, *regional_topics("", {topic for topic, _ in self.places})]

    async def sealed(self):
        return [(t, p) for t in await self.topics() if is_sealed(t) for p in await self.partitions(t)]

    async def partitions(self, topic):
        return [*range(self.counts.get(topic, 1))]

    async def beginning_and_end(self, topic, partition):
        return 0, self.end(topic, partition)

    async def stream(self, stream, start=None, end=None):
        """Every record whose key is `stream`, where that belongs, from `start` to before `end`."""
        topic, key = topic_of(stream), stream.encode()
        found = self.places.get((topic, partition_of(key, self.counts.get(topic, 1))), [])
        return [
            r for r in found if r.key == key and r.offset >= (start or 0) and (end is None or r.offset < end)
        ]

    async def batches(self, topic, partition, start, end=None, max_records=5_000, *, after=None):
        if start > self.end(topic, partition):
            raise RetentionLost(topic, partition, start, 0, self.end(topic, partition))
        if after is not None:
            LastRead(start - 1, after).past(
                [r for r in self.places[topic, partition] if r.offset == start - 1]
            )
        at = start
        while end is None or at < end:
            found = [r for r in self.places.get((topic, partition), []) if r.offset >= at]
            found = [r for r in found if end is None or r.offset < end][:max_records]
            if found:
                at = found[-1].offset + 1
                yield found
            elif end is not None and end <= self.end(topic, partition):
                return
            else:
                self._more.clear()
                await self._more.wait()
