"""What people gave up, as the log says it."""

from collections.abc import AsyncGenerator, Mapping

from eventlog.reader import LogReader
from projections import in_memory
from projections.in_memory import Place

TOPIC = "decisions"

Discards = Mapping[int, Mapping[int, str | None]]
"""By partition and offset: the records that a person gave up, and the stream that each had stopped."""


async def discarded(reader: LogReader, topic: str = TOPIC) -> Discards:
    """Every discard of records of `topic`, in effect or not: a forged one takes nothing away."""
    return await _discarded(reader, await _ends(reader), topic)


async def discarded_by_turns(reader: LogReader) -> AsyncGenerator[Discards, None]:
    """As `discarded` of decisions, then what that was before each of them, back to none."""
    ends = await _ends(reader)
    last = await _discarded(reader, ends, TOPIC)
    yield last
    while last:
        ends[max(ends, key=ends.__getitem__)] -= 1
        found = await _discarded(reader, ends, TOPIC)
        if found != last:
            yield found
        last = found


async def _ends(reader: LogReader) -> dict[Place, int]:
    places = [("deadletters", partition) for partition in await reader.partitions("deadletters")]
    return {place: (await reader.beginning_and_end(*place))[1] for place in places}


async def _discarded(reader: LogReader, ends: Mapping[Place, int], topic: str) -> Discards:
    found = await in_memory.discards(reader, ends)
    return {partition: offsets for (of, partition), offsets in found.items() if of == topic}
