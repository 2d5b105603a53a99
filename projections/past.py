"""What lies behind a fold on the log, read again when an event comes a second time."""

from collections.abc import Collection, Mapping, Sequence

from domain.event import Event
from eventlog.reader import LogReader
from eventlog.record import RawRecord
from projections.batch import decoded
from projections.seen import Version


class LogPast:
    """The earlier records of one topic partition."""

    def __init__(self, reader: LogReader, topic: str, partition: int) -> None:
        self._reader = reader
        self._topic = topic
        self._partition = partition

    async def applied_ids(
        self, streams: Mapping[str, int], end: int, discarded: Collection[int]
    ) -> Mapping[Version, str]:
        found: dict[Version, str] = {}
        given_up: dict[Version, str] = {}
        if not streams:
            return found
        start = min(streams.values())
        async for records in self._reader.batches(self._topic, self._partition, start, end):
            for record, event in decoded(r for r in records if _is_of(r, streams)):
                if isinstance(event, Event) and record.key == event.stream.encode():
                    into = given_up if record.offset in discarded else found
                    into.setdefault((event.stream, event.version), event.id)
        return given_up | found

    async def records(self, offsets: Sequence[int]) -> list[RawRecord]:
        """The records at `offsets`, in their order."""
        wanted = frozenset(offsets)
        found: list[RawRecord] = []
        if wanted:
            batches = self._reader.batches(self._topic, self._partition, min(wanted), max(wanted) + 1)
            async for records in batches:
                found += [record for record in records if record.offset in wanted]
        return found


def _is_of(record: RawRecord, streams: Mapping[str, int]) -> bool:
    if record.key is None:
        return False
    first = streams.get(record.key.decode("utf-8", "replace"))
    return first is not None and record.offset >= first
