"""A stretch of the log that two processes fold: one reads it all and hands most of the streams on.

Reading it twice, each process for its half, costs more than to hand records over: reading takes five times as
long, and Kafka pays twice, too.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Protocol
from zlib import crc32

import msgspec

from eventlog.record import RawRecord

SHARES, KEPT = 8, 3
"""The reader folds so many shares of all keys, since it has the reading to do as well."""

Give = Callable[[Sequence[RawRecord]], Awaitable[None]]

to_bytes = msgspec.msgpack.Encoder().encode
from_bytes = msgspec.msgpack.Decoder(list[RawRecord]).decode


class Source(Protocol):
    """Where records come from."""

    def batches(
        self,
        topic: str,
        partition: int,
        start: int,
        end: int | None = None,
        max_records: int = ...,
        *,
        after: bytes | None = None,
    ) -> AsyncGenerator[list[RawRecord], None]:
        """See `eventlog.reader.LogReader.batches`."""
        ...


class Shared:
    """What `source` reads, without the records that `give` takes; it takes no records at a stretch's end."""

    def __init__(self, source: Source, give: Give) -> None:
        self._source, self._give = source, give

    async def batches(
        self,
        topic: str,
        partition: int,
        start: int,
        end: int | None = None,
        max_records: int = 1,
        *,
        after: bytes | None = None,
    ) -> AsyncGenerator[list[RawRecord], None]:
        """See `Source`."""
        whole = self._source.batches(topic, partition, start, end, max_records * SHARES // KEPT, after=after)
        async with aclosing(whole) as batches:
            async for records in batches:
                kept, handed_on = _parted(records)
                if handed_on:
                    await self._give(handed_on)
                if kept:
                    yield kept
        await self._give([])


def _parted(records: Sequence[RawRecord]) -> tuple[list[RawRecord], list[RawRecord]]:
    """What is kept and what is handed on: every event of a stream goes the same way."""
    kept: list[RawRecord] = []
    handed_on: list[RawRecord] = []
    for record in records:
        (kept if crc32(record.key or b"") % SHARES < KEPT else handed_on).append(record)
    return kept, handed_on
