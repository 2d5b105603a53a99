"""What a person can do about parked records: let their stream try again, or give one up."""

from datetime import UTC, datetime
from typing import Any

import asyncpg

from domain.deadletters import Discarded
from domain.event import Event, event_id
from domain.refusal import Refusal
from domain.strict_json import printable
from eventlog.reader import LogReader
from eventlog.writer import LogWriter
from projections.resume import Resumed, resume
from workers.settings import Settings

LONGEST_WHO, LONGEST_WHY = 200, 2_000

_ONE = """
SELECT id, topic, partition, log_offset, stream, kind FROM dead_letter WHERE id = $1
"""
_HEADS = "SELECT DISTINCT topic, partition, stream FROM dead_letter WHERE stream IS NOT NULL ORDER BY 1, 2, 3"
_DISCARDS_READ = """
SELECT next_offset FROM projection_offset
WHERE projection = 'deadletters' AND topic = 'deadletters' AND partition = $1
"""


async def retry(settings: Settings, letter: str | None) -> Resumed:
    """Fold the parked records of one stream, or of all (None), with today's code, each in its order.

    Raises:
        Refusal: there is no such record, it names no stream, or discards are on their way.
    """
    connection = await asyncpg.connect(settings.database_url)
    try:
        async with LogReader(settings.kafka, settings.topic_prefix) as reader:
            places = await _streams(connection, letter)
            applied = parked = 0
            for (topic, partition), streams in places.items():
                async with connection.transaction():
                    await _no_discard_is_on_its_way(connection, reader)
                    done = await resume(connection, reader, topic, partition, streams)
                applied, parked = applied + done.applied, parked + done.parked
            return Resumed(applied, parked)
    finally:
        connection.terminate()


async def discard(settings: Settings, letter: str, who: str, why: str) -> Event:
    """Write down that a person gives one parked record up; the projector then lets its stream go on.

    Raises:
        Refusal: there is no such record, it only waits behind another, or who or why is missing.
    """
    _said("--as", who, LONGEST_WHO)
    _said("--why", why, LONGEST_WHY)
    connection = await asyncpg.connect(settings.database_url)
    try:
        # The lock keeps a retry from applying the record while its discard is written.
        async with connection.transaction():
            found = await connection.fetchrow(_ONE + " FOR UPDATE", letter)
            if found is None:
                raise _unknown(letter)
            if found["kind"] == "behind":
                raise Refusal(
                    "ID", f"{letter} only waits behind another record of its stream; discard that one"
                )
            event = _event(found, who, why)
            async with LogWriter(settings.kafka, settings.topic_prefix) as writer:
                await writer.append("deadletters", [event])
            return event
    finally:
        connection.terminate()


def _event(found: Any, who: str, why: str) -> Event:
    now = datetime.now(UTC)
    stream = f"deadletters/{found['id']}"
    return Event(
        id=event_id(now, stream, who, why),
        stream=stream,
        version=1,
        time=now,
        data=Discarded(
            dead_letter=found["id"],
            topic=found["topic"],
            partition=found["partition"],
            offset=found["log_offset"],
            stream=found["stream"],
            who=who,
            why=why,
        ),
        source="moot deadletters discard",
    )


async def _streams(connection: Any, letter: str | None) -> dict[tuple[str, int], list[str]]:
    places: dict[tuple[str, int], list[str]] = {}
    if letter is None:
        rows = await connection.fetch(_HEADS)
    else:
        rows = await connection.fetch(_ONE, letter)
        if not rows:
            raise _unknown(letter)
        if rows[0]["stream"] is None:
            raise Refusal("ID", f"{letter} names no stream, so nothing waits for it; it can be discarded")
    for row in rows:
        places.setdefault((row["topic"], row["partition"]), []).append(row["stream"])
    return places


async def _no_discard_is_on_its_way(connection: Any, reader: LogReader) -> None:
    for partition in await reader.partitions("deadletters"):
        _, end = await reader.beginning_and_end("deadletters", partition)
        read = await connection.fetchval(_DISCARDS_READ, partition)
        if (read or 0) < end:
            raise Refusal("retry", "a discard is on its way; try again when the projector has read it")


def _said(option: str, text: str, longest: int) -> None:
    if not text.strip() or len(text) > longest:
        raise Refusal(option, f"has {len(text)} characters, 1 to {longest} that are not all blank are needed")


def _unknown(letter: str) -> Refusal:
    return Refusal("ID", f"'{printable(letter, 60)}' is no parked record; `moot deadletters list` names them")
