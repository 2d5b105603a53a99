"""Checkpoints as events of the topic `checkpoints`: what the sealer publishes, and takes in again."""

from collections.abc import Sequence
from contextlib import aclosing

import structlog

from audit import announced
from audit.checkpoint import OriginOf
from audit.key_chain import KeyChain
from audit.seal import SplitView
from audit.strict_text import from_base64, to_base64
from audit.tiles import range_root, tiles_for
from domain.audit_events import CheckpointSigned
from domain.event import Event, event_id
from domain.refusal import Refusal
from eventlog.codec import decode
from eventlog.reader import LogReader
from eventlog.record import RawRecord
from eventlog.topics import SEALED
from eventlog.undecodable import Undecodable
from eventlog.writer import LogWriter
from projections import fence, merkle, signing_keys
from projections.checkpoints import CheckpointRow, kept, mark_published, store
from projections.fence import Connection

_log = structlog.get_logger(__name__)

TOPIC = "checkpoints"
_SOURCE = "sealer"


def stream_of(topic: str, partition: int) -> str:
    """The stream of one log's checkpoints."""
    return f"{TOPIC}/{topic}.{partition}"


def log_of(stream: str) -> tuple[str, int] | None:
    """The logical topic and partition that a stream of checkpoints speaks of; None for any other stream."""
    topic, _, number = stream.removeprefix(f"{TOPIC}/").rpartition(".")
    known = topic in SEALED and number.isascii() and number.isdigit()
    return (topic, int(number)) if known and stream == stream_of(topic, int(number)) else None


def to_event(row: CheckpointRow, origin: str) -> Event:
    """The event that publishes a checkpoint; the same row gives the same event, however often it is sent."""
    stream = stream_of(row.topic, row.partition)
    return Event(
        id=event_id(row.sealed_at, stream, row.version, row.note),
        stream=stream,
        version=row.version,
        time=row.sealed_at,
        data=CheckpointSigned(origin, row.size, to_base64(row.root), row.note),
        source=_SOURCE,
    )


def from_event(event: Event, origin_of: OriginOf, chain: KeyChain) -> CheckpointRow:
    """The row of a published checkpoint that an announced key signed.

    Raises:
        Refusal: it is none of ours, or contradicts itself.
    """
    data, log = event.data, log_of(event.stream)
    if not isinstance(data, CheckpointSigned) or log is None:
        raise Refusal("checkpoint", "is of no log of this cluster")
    signed = chain.open(data.checkpoint.encode(), origin_of(*log))
    if (data.size, from_base64(data.root, "root")) != (signed.size, signed.root):
        raise Refusal("checkpoint", "is not what its note says")
    return CheckpointRow(
        *log, signed.size, signed.root, data.checkpoint, event.time, event.version, published=True
    )


async def publish(
    connection: Connection, writer: LogWriter, rows: Sequence[CheckpointRow], origin_of: OriginOf
) -> None:
    """Append rows in the order of their numbers; a crash in here only sends the same events again."""
    events = [to_event(row, origin_of(row.topic, row.partition)) for row in rows]
    await writer.append(TOPIC, events)
    await mark_published(connection, rows)


async def take_in(
    connection: Connection, reader: LogReader, origin_of: OriginOf, chain: KeyChain
) -> dict[tuple[str, int], SplitView]:
    """Keep what the topic holds since the last time; the logs (topic, partition) whose tiles contradict it.

    `chain` grows by the keys that were announced there.

    Where one does, the next start reads the topic from the same place again, so that it is not forgotten.

    Raises:
        SplitView: the topic is shorter than what was read of it before.
        projections.fence.FenceLost: another sealer takes it in.
    """
    at = await merkle.position(connection, TOPIC, 0)
    _, end = await reader.beginning_and_end(TOPIC, 0)
    if end < at.next_offset:
        raise SplitView(TOPIC, f"the topic ends at offset {end}, but was read up to {at.next_offset} before")
    contradicted: dict[tuple[str, int], SplitView] = {}
    newest_ms = 0
    async with aclosing(reader.batches(TOPIC, 0, at.next_offset, end)) as batches:
        async for batch in batches:
            newest_ms = batch[-1].timestamp_ms
            rows = await _rows(connection, batch, origin_of, chain)
            known = set(await kept(connection, rows))
            sound = [row for row in rows if row in known or await _agrees(connection, row)]
            for row in rows:
                if row not in sound:
                    origin = origin_of(row.topic, row.partition)
                    problem = f"the sealed records are not those of the published checkpoint of {row.size}"
                    contradicted[row.topic, row.partition] = SplitView(origin, problem)
            await store(connection, sound)
    if end > at.next_offset and not contradicted:
        await fence.advance(connection, at, end, newest_ms)
    return contradicted


async def _rows(
    connection: Connection, batch: Sequence[RawRecord], origin_of: OriginOf, chain: KeyChain
) -> list[CheckpointRow]:
    rows = []
    for record in batch:
        try:
            event = decode(record.value)
            if event.stream == announced.STREAM:
                await _announced(connection, event, chain)
            else:
                rows.append(from_event(event, origin_of, chain))
        except (Undecodable, Refusal) as error:
            _log.warning("sealer.checkpoint_refused", offset=record.offset, reason=str(error))
    return rows


async def _announced(connection: Connection, event: Event, chain: KeyChain) -> None:
    row = announced.from_event(event)
    chain.add(row.note)
    await signing_keys.keep(connection, row)


async def _agrees(connection: Connection, row: CheckpointRow) -> bool:
    """Whether the stored tiles, as far as they reach, lead to the published root."""
    last = await merkle.last_leaves(connection, row.topic, row.partition)
    if last is None or row.size > last.end:
        return True  # the tree has still to pass through it
    span = (0, row.size)
    held = await merkle.tiles(connection, row.topic, row.partition, tiles_for([span]))
    return range_root(held, span) == row.root
