"""Finding records by what they hold: an event by its id, a stream by its name."""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing
from typing import TYPE_CHECKING

from domain.refusal import Refusal
from domain.strict_json import printable
from eventlog.codec import peek
from eventlog.envelope import STREAM, UUID
from eventlog.partitioning import partition_of
from eventlog.topics import topic_of

if TYPE_CHECKING:
    from eventlog.reader import LogReader
    from eventlog.record import RawRecord

_UUID = re.compile(UUID)
_STREAM = re.compile(STREAM)
_UUID_V7 = "7"


async def find(reader: LogReader, event_id: str) -> RawRecord | None:
    """The first record on the log that holds the event `event_id`; None if there is none.

    A record's time is the time in its event's UUIDv7, so every partition is read from there on only.

    Raises:
        Refusal: the id is not a UUIDv7.
    """
    if not _UUID.fullmatch(event_id) or event_id[14] != _UUID_V7:
        raise Refusal("event id", f"'{printable(event_id, 60)}' is not a UUIDv7 in lower case")
    milliseconds = int(event_id[:8] + event_id[9:13], 16)
    places = [
        (topic, partition) for topic in await reader.topics() for partition in await reader.partitions(topic)
    ]
    found: list[RawRecord] = []

    async def look(topic: str, partition: int) -> None:
        start = await reader.offset_at(topic, partition, milliseconds)
        if start is None:
            return
        _, end = await reader.beginning_and_end(topic, partition)
        needle = event_id.encode()
        async with aclosing(reader.batches(topic, partition, start, end)) as batches:
            async for batch in batches:
                hit = next((r for r in batch if needle in r.value and _is(r, event_id)), None)
                if hit is not None:
                    found.append(hit)
                if found:
                    return

    async with asyncio.TaskGroup() as group:
        for place in places:
            group.create_task(look(*place))
    return found[0] if found else None


async def read_stream(
    reader: LogReader, stream: str, start: int | None = None, end: int | None = None
) -> list[RawRecord]:
    """Every record whose key is `stream`, in log order, between offset `start` and, exclusive, `end`.

    Without them the whole of its partition is read: name them where they are known.

    Raises:
        Refusal: it is not the name of a stream.
    """
    if not _STREAM.fullmatch(stream):
        raise Refusal("stream", f"'{printable(stream, 60)}' is not <category>/<id>")
    topic, key = topic_of(stream), stream.encode()
    partition = partition_of(key, len(await reader.partitions(topic)))
    first, last = await reader.beginning_and_end(topic, partition)
    start = first if start is None else start
    end = last if end is None else min(end, last)
    found: list[RawRecord] = []
    async with aclosing(reader.batches(topic, partition, start, end)) as batches:
        async for batch in batches:
            found += [record for record in batch if record.key == key]
    return found


def _is(record: RawRecord, event_id: str) -> bool:
    heading = peek(record.value)
    return heading is not None and heading.id == event_id
