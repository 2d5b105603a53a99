"""The newest records over several partitions, in the order of their times, and those still to come."""

import asyncio
import heapq
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from operator import attrgetter

from eventlog.reader import LogReader
from eventlog.record import RawRecord

Ends = dict[tuple[str, int], int]

_WAITING = 1_000  # records that a follower may lie behind before its connections pause


async def ends(reader: LogReader, topics: Iterable[str]) -> Ends:
    """For every partition of `topics` the offset that its next record will have."""
    return {
        (topic, partition): (await reader.beginning_and_end(topic, partition))[1]
        for topic in topics
        for partition in await reader.partitions(topic)
    }


async def newest(reader: LogReader, before: Ends, limit: int) -> list[RawRecord]:
    """The last `limit` records before those offsets, oldest first.

    They are merged by the times of their events; within a partition the log's own order stands.
    """
    lasts = [await _last(reader, *place, end, limit) for place, end in before.items()]
    return list(heapq.merge(*lasts, key=attrgetter("timestamp_ms")))[-limit:] if limit else []


async def _last(reader: LogReader, topic: str, partition: int, end: int, limit: int) -> list[RawRecord]:
    beginning, _ = await reader.beginning_and_end(topic, partition)
    span = limit
    while True:
        start = max(beginning, end - span)
        records = [record async for batch in reader.batches(topic, partition, start, end) for record in batch]
        if len(records) >= limit or start == beginning:
            return records[-limit:]
        span *= 2  # offsets have gaps: go further back


async def follow(reader: LogReader, after: Ends) -> AsyncGenerator[RawRecord, None]:
    """Every record from those offsets on, as it arrives; it never ends, and may be left at any time.

    Raises:
        Exception: what stopped the reading of one partition, after the records that came before it.
    """
    arrived: asyncio.Queue[RawRecord | Exception] = asyncio.Queue(_WAITING)

    async def read(topic: str, partition: int, start: int) -> None:
        try:
            async with aclosing(reader.batches(topic, partition, start)) as batches:
                async for batch in batches:
                    for record in batch:
                        await arrived.put(record)
        except Exception as fault:  # noqa: BLE001 # whoever follows is told
            await arrived.put(fault)

    # No task group: one that a generator holds turns its closing into an error.
    reading = [asyncio.create_task(read(*place, start)) for place, start in after.items()]
    try:
        while True:
            found = await arrived.get()
            if isinstance(found, Exception):
                raise found
            yield found
    finally:
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)
