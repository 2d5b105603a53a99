"""What a person can do about parked records: let their stream try again, or give one up."""

import contextlib
from datetime import UTC, datetime

from domain.deadletters import Discarded
from domain.event import Event, event_id
from domain.refusal import Refusal
from domain.strict_json import printable
from eventlog.codec import decode
from eventlog.partitioning import partition_of
from eventlog.reader import LogReader
from eventlog.undecodable import Undecodable
from eventlog.writer import LogWriter
from projections.connection import connect
from projections.fence import Connection
from projections.parked import Parked, discards_read, parked
from projections.parked import streams as parked_streams
from projections.resume import Resumed, resume
from workers import context_rules
from workers.settings import Settings

LONGEST_WHO, LONGEST_WHY = 200, 2_000


async def retry(settings: Settings, letter: str | None) -> Resumed:
    """Fold the parked records of one stream, or of all (None), with today's code, each in its order.

    Raises:
        Refusal: there is no such record, it names no stream, discards are on their way, or the tables were
            made by other rules than ours.
    """
    context_rules.project_by_them()
    connection = await connect(settings.database_url)
    try:
        async with LogReader(settings.kafka, settings.topic_prefix) as reader:
            places = await _streams(connection, letter)
            applied = left = 0
            for (topic, partition), streams in places.items():
                async with connection.transaction():
                    await _no_discard_is_on_its_way(connection, reader)
                    done = await resume(connection, reader, topic, partition, streams)
                applied, left = applied + done.applied, left + done.parked
            return Resumed(applied, left)
    finally:
        connection.terminate()


async def discard(settings: Settings, letter: str, who: str, why: str) -> Event:
    """Write down that a person gives one parked record up; the projector then lets its stream go on.

    Raises:
        Refusal: there is no such record, it only waits behind another, it is given up already, or who or why
            is missing.
    """
    _said("--as", who, LONGEST_WHO)
    _said("--why", why, LONGEST_WHY)
    connection = await connect(settings.database_url)
    try:
        # The lock keeps a retry from applying the record while its discard is written, and a second discard
        # from looking for the first before that is on the log.
        async with connection.transaction():
            found = await parked(connection, letter, hold=True)
            if found is None:
                raise _unknown(letter)
            if found.kind == "behind":
                raise Refusal(
                    "ID", f"{letter} only waits behind another record of its stream; discard that one"
                )
            event = _event(found, who, why)
            async with LogReader(settings.kafka, settings.topic_prefix) as reader:
                await _not_given_up_before(connection, reader, event.stream)
            async with LogWriter(settings.kafka, settings.topic_prefix) as writer:
                await writer.append("deadletters", [event])
            return event
    finally:
        connection.terminate()


def _event(found: Parked, who: str, why: str) -> Event:
    now = datetime.now(UTC)
    stream = f"deadletters/{found.id}"
    return Event(
        id=event_id(now, stream, who, why),
        stream=stream,
        version=1,
        time=now,
        data=Discarded(
            dead_letter=found.id,
            topic=found.topic,
            partition=found.partition,
            offset=found.offset,
            stream=found.stream,
            who=who,
            why=why,
        ),
        source="moot deadletters discard",
    )


async def _streams(connection: Connection, letter: str | None) -> dict[tuple[str, int], list[str]]:
    if letter is None:
        return await parked_streams(connection)
    found = await parked(connection, letter)
    if found is None:
        raise _unknown(letter)
    if found.stream is None:
        raise Refusal("ID", f"{letter} names no stream, so nothing waits for it; it can be discarded")
    return {(found.topic, found.partition): [found.stream]}


async def _no_discard_is_on_its_way(connection: Connection, reader: LogReader) -> None:
    for partition in await reader.partitions("deadletters"):
        _, end = await reader.beginning_and_end("deadletters", partition)
        if await discards_read(connection, partition) < end:
            raise Refusal("retry", "a discard is on its way; try again when the projector has read it")


async def _not_given_up_before(connection: Connection, reader: LogReader, stream: str) -> None:
    """A second discard would be a fork of the first one's stream."""
    partition = partition_of(stream.encode(), len(await reader.partitions("deadletters")))
    for record in await reader.stream(stream, await discards_read(connection, partition)):
        with contextlib.suppress(Undecodable):
            discard = decode(record.value).data
            if isinstance(discard, Discarded):
                by = printable(discard.who, 60)
                problem = f"{discard.dead_letter} is given up already, by {by}: the projector will read that"
                raise Refusal("ID", problem)


def _said(option: str, text: str, longest: int) -> None:
    if not text.strip() or len(text) > longest:
        raise Refusal(option, f"has {len(text)} characters, 1 to {longest} that are not all blank are needed")


def _unknown(letter: str) -> Refusal:
    return Refusal("ID", f"'{printable(letter, 60)}' is no parked record; `moot deadletters list` names them")
