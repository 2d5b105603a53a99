"""Parked streams take up again: what was parked is read from the log and folded, behind the fence."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from eventlog.reader import LogReader
from projections import bulk, fence
from projections.batch import decoded
from projections.deadletters import Discard
from projections.fence import Connection
from projections.folding import PartitionFold
from projections.past import LogPast
from projections.projection import by_category
from projections.registry import PROJECTIONS, rules_of, standing_on
from projections.states import States

CHUNK = 5_000

_PARKED = """
SELECT DISTINCT stream FROM dead_letter
WHERE projection = ANY($1::text[]) AND topic = $2 AND partition = $3 AND stream IS NOT NULL
"""
_DISCARDED = """
SELECT discarded_offset, discarded_stream FROM discard
WHERE discarded_topic = $1 AND discarded_partition = $2
"""
_WAITING = """
SELECT log_offset FROM dead_letter WHERE topic = $1 AND partition = $2 AND stream = ANY($3::text[])
ORDER BY log_offset
"""
_STOPPED = """
SELECT DISTINCT stream FROM dead_letter
WHERE topic = $1 AND partition = $2 AND log_offset = ANY($3::bigint[]) AND stream IS NOT NULL
"""
_CLEAR_ALONE = """
DELETE FROM dead_letter
WHERE topic = $1 AND partition = $2 AND log_offset = ANY($3::bigint[]) AND stream IS NULL
"""
_CLEAR = "DELETE FROM dead_letter WHERE topic = $1 AND partition = $2 AND log_offset = ANY($3::bigint[])"


@dataclass(frozen=True, slots=True)
class Resumed:
    """What became of the parked records of some streams."""

    applied: int
    parked: int


async def parked_streams(
    connection: Connection, topic: str, partition: int, names: Sequence[str]
) -> set[str]:
    """The streams that stand still on this partition, of the projections in `names`."""
    return {row["stream"] for row in await connection.fetch(_PARKED, names, topic, partition)}


async def discards_of(connection: Connection, topic: str, partition: int) -> dict[int, str | None]:
    """The offsets that a person gave up on this partition, and the streams they stopped."""
    rows = await connection.fetch(_DISCARDED, topic, partition)
    return {row["discarded_offset"]: row["discarded_stream"] for row in rows}


async def resume(
    connection: Connection, reader: LogReader, topic: str, partition: int, streams: Sequence[str]
) -> Resumed:
    """Fold the parked records of `streams` again, within the caller's transaction.

    What still cannot be applied is parked again. The partition's projectors are held off until the end of the
    transaction, and read their state again after it.
    """
    names = standing_on(topic)
    await fence.hold(connection, topic, partition, names)
    await fence.check_rules(connection, rules_of(names))
    past = LogPast(reader, topic, partition)
    discarded = await discards_of(connection, topic, partition)
    fold = PartitionFold(
        by_category(PROJECTIONS, topic),
        past,
        States(),
        partition=partition,
        partitions=len(await reader.partitions(topic)),
        discarded=discarded,
    )
    offsets = [row["log_offset"] for row in await connection.fetch(_WAITING, topic, partition, streams)]
    await connection.execute(_CLEAR, topic, partition, offsets)
    parked = 0
    for first in range(0, len(offsets), CHUNK):
        parked += await _fold_chunk(connection, fold, past, offsets[first : first + CHUNK], partition)
    await fence.raise_epoch(connection, topic, partition, names)
    return Resumed(len(offsets) - parked, parked)


async def _fold_chunk(
    connection: Connection, fold: PartitionFold, past: LogPast, offsets: Sequence[int], partition: int
) -> int:
    batch = decoded(await past.records(offsets))
    if not batch:
        return 0
    for category, names in fold.missing(batch, {}, optimistic=False).items():
        for stream in await bulk.load(connection, fold.takers[category], names):
            fold.states.put(stream)
    folded = await fold.fold(batch)
    await bulk.prepare(connection, batch[0][0].topic)  # for whoever resumes
    await bulk.write(connection, bulk.rows_of(folded, partition))
    fold.states.age()
    return len(folded.dead)


async def resume_discarded(connection: Connection, reader: LogReader, discards: Iterable[Discard]) -> None:
    """Let the streams that discarded records had stopped go on; the discards' rows are written already."""
    found: dict[tuple[str, int], list[Discard]] = {}
    for discard in discards:
        found.setdefault((discard.topic, discard.partition), []).append(discard)
    for (topic, partition), given_up in sorted(found.items()):
        await fence.hold(connection, topic, partition, standing_on(topic))
        offsets = [discard.offset for discard in given_up]
        await connection.execute(_CLEAR_ALONE, topic, partition, offsets)
        stopped = {row["stream"] for row in await connection.fetch(_STOPPED, topic, partition, offsets)}
        named = {discard.stream for discard in given_up if discard.stream is not None}
        await resume(connection, reader, topic, partition, sorted(stopped | named))
