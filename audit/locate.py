"""Finding one event on the log, and the leaf that its record is."""

import re
import uuid
from contextlib import aclosing

from domain.refusal import Refusal
from domain.strict_json import printable
from eventlog.codec import peek
from eventlog.reader import LogReader
from eventlog.record import RawRecord
from projections import merkle
from projections.fence import Connection

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


async def find_event(reader: LogReader, event_id: str, topics: tuple[str, ...]) -> RawRecord:
    """The first record of the event `event_id` in one of `topics`.

    Its id holds its time, and records carry theirs, so only what is not older is read.

    Raises:
        Refusal: it is no event's id, or the log has no such event.
    """
    if not _UUID.fullmatch(event_id):
        raise Refusal("event", f"'{printable(event_id, 60)}' is no event id, a UUID in lower case")
    time_ms = uuid.UUID(event_id).int >> 80
    for topic in topics:
        for partition in await reader.partitions(topic):
            found = await _find(reader, topic, partition, event_id, time_ms)
            if found is not None:
                return found
    raise Refusal("event", f"{event_id} is not on the log ({', '.join(topics)})")


async def _find(
    reader: LogReader, topic: str, partition: int, event_id: str, time_ms: int
) -> RawRecord | None:
    # A millisecond early: the id's time comes from a float.
    start = await reader.offset_at(topic, partition, max(time_ms - 1, 0))
    if start is None:
        return None
    _, end = await reader.beginning_and_end(topic, partition)
    wanted = event_id.encode()
    async with aclosing(reader.batches(topic, partition, start, end)) as batches:
        async for batch in batches:
            for record in batch:
                if wanted in record.value and (heading := peek(record.value)) and heading.id == event_id:
                    return record
    return None


async def leaf_index(connection: Connection, reader: LogReader, record: RawRecord) -> int | None:
    """The number of the leaf that `record` is; None while it is not sealed."""
    tile = await merkle.leaves_around(connection, record.topic, record.partition, record.offset)
    if tile is None:
        return None
    first = tile.end - tile.leaves
    if tile.last_offset - tile.first_offset == tile.leaves - 1:  # no offset is missing among them
        return first + record.offset - tile.first_offset
    spans = reader.batches(record.topic, record.partition, tile.first_offset, record.offset)
    async with aclosing(spans) as batches:
        return first + sum([len(batch) async for batch in batches])
