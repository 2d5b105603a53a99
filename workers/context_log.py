"""The past of shared context, read from a region's topic: each write once, however often it lies there."""

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime

from domain.context.events import Written, stream_of
from domain.context.recording import wall_of
from domain.context.state import Entry, Standing, absorb
from domain.event import Event
from domain.refusal import ImpossibleEvent
from eventlog import tail
from eventlog.codec import decode
from eventlog.reader import LogReader
from eventlog.record import RawRecord
from eventlog.topics import regional
from eventlog.undecodable import Undecodable

_REMEMBERED = 100_000  # writes that a watcher knows again


@dataclass(frozen=True, slots=True)
class Told:
    """A write as the log has it: its event's id, its place, and how it met what the region had by then."""

    event: str
    partition: int
    offset: int
    at: datetime
    write: Written
    standing: Standing


async def history(
    reader: LogReader, region: str, layer: str, key: str, start: int | None = None
) -> tuple[list[Told], Entry | None]:
    """Every write of a key in the order of the region's log, each once, and what the region has after them.

    Args:
        reader: of the log.
        region: whose topic is read.
        layer: of the key.
        key: the key.
        start: the offset of its first record, where that is known: else its whole partition is read.

    Raises:
        Refusal: the region does not exist.
        OSError: Kafka does not answer.
    """
    stream = stream_of(region, layer, key)
    told: list[Told] = []
    entry: Entry | None = None
    for record, event, write in _writes(await reader.stream(stream, start), stream):
        try:
            after, standing = absorb(entry, write)
        except ImpossibleEvent:
            continue  # it is parked, and no reader is shown it
        if standing != "duplicate" or after != entry:
            told.append(Told(event.id, record.partition, record.offset, event.time, write, standing))
        entry = after
    return told, entry


def entry_at(told: Iterable[Told], at: datetime) -> Entry | None:
    """What the region would have had with every write whose own clock is not past `at`; None before any."""
    entry: Entry | None = None
    for one in told:
        if one.at <= at:
            entry, _ = absorb(entry, one.write)
    return entry


async def watch(
    reader: LogReader, region: str, wanted: Callable[[Written], bool], ready: Callable[[], None]
) -> AsyncGenerator[Told, None]:
    """Each write that comes to the region from now on and that is `wanted`; it never ends.

    Its `standing` is that of a write by itself: `new`. `ready` is told when nothing more can be missed.
    """
    ends = await tail.ends(reader, [regional("context", region)])
    ready()
    seen: dict[str, None] = {}
    async with aclosing(tail.follow(reader, ends)) as records:
        async for record in records:
            for _, event, write in _writes([record]):
                if event.id not in seen and wanted(write):
                    yield Told(event.id, record.partition, record.offset, event.time, write, "new")
                seen[event.id] = None
                if len(seen) > _REMEMBERED:
                    del seen[next(iter(seen))]


def _writes(
    records: Iterable[RawRecord], stream: str | None = None
) -> Iterator[tuple[RawRecord, Event, Written]]:
    """Those records that the projection would take; what it parks is history, but of no key."""
    for record in records:
        try:
            event = decode(record.value)
        except Undecodable:
            continue
        write = event.data
        if not isinstance(write, Written) or (stream is not None and event.stream != stream):
            continue
        if event.version == write.counter and wall_of(event) == write.wall:
            yield record, event, write


def moment_of(text: str) -> datetime | None:
    """An instant in ISO 8601 with its offset; None for anything else: a time without a zone is none."""
    try:
        at = datetime.fromisoformat(text)
        return None if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):  # the latter where UTC has it before year 1 or after 9999
        return None
