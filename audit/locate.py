"""Finding one event on the log, and the leaf that its record is."""

from contextlib import aclosing

from domain.refusal import Refusal
from domain.strict_json import printable
from eventlog.reader import LogReader
from eventlog.record import RawRecord
from eventlog.topics import SEALED
from projections import merkle
from projections.fence import Connection


async def find_sealed(reader: LogReader, event_id: str) -> RawRecord:
    """The first record of the event `event_id` in a topic that is sealed.

    Raises:
        Refusal: it is no event's id, the log has no such event, or it is a checkpoint itself.
    """
    record = await reader.find(event_id)
    if record is None:
        raise Refusal("event", f"{printable(event_id, 60)} is not on the log")
    if record.topic not in SEALED:
        raise Refusal(
            "event", f"{event_id} is a checkpoint, which its own signature proves: `moot audit checkpoint`"
        )
    return record


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
