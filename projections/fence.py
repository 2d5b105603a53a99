"""The fence: who may write a partition's rows, and from which offset. Every write begins by passing it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeAlias

import asyncpg

from domain.counting import counted
from domain.refusal import Refusal
from eventlog.record import moment

Connection: TypeAlias = "asyncpg.Connection[Any]"  # generic in its stubs only

_CREATE = """
INSERT INTO projection_offset (projection, topic, partition, next_offset)
SELECT name, $2, $3, 0 FROM unnest($1::text[]) AS name ON CONFLICT DO NOTHING
"""
_FIRST = """
INSERT INTO projection_offset (projection, topic, partition, next_offset)
SELECT name, $2, number, 0 FROM unnest($1::text[]) AS name, generate_series(0, $3::int - 1) AS number
WHERE NOT EXISTS (SELECT FROM projection_offset WHERE projection = ANY($1::text[]) AND topic = $2)
ON CONFLICT DO NOTHING
"""
_COUNT = """
SELECT count(DISTINCT partition) FROM projection_offset WHERE projection = ANY($1::text[]) AND topic = $2
"""
_READ = """
SELECT projection, next_offset, epoch, last_leaf, refused FROM projection_offset
WHERE projection = ANY($1::text[]) AND topic = $2 AND partition = $3 ORDER BY projection
"""
_ADVANCE = """
UPDATE projection_offset AS o
SET next_offset = $6, newest_at = greatest(o.newest_at, $7), last_leaf = $8, refused = NULL
FROM unnest($1::text[], $2::bigint[]) AS held (projection, epoch)
WHERE o.projection = held.projection AND o.epoch = held.epoch
  AND o.topic = $3 AND o.partition = $4 AND o.next_offset = $5
"""
_HOLD = """
SELECT projection, topic, partition, next_offset FROM projection_offset
WHERE projection = ANY($1::text[]) AND topic = $2 AND partition = $3 ORDER BY projection FOR UPDATE
"""
_RAISE = """
UPDATE projection_offset SET epoch = epoch + 1
WHERE projection = ANY($1::text[]) AND topic = $2 AND partition = $3
"""
_OTHERS = """
SELECT EXISTS (
  SELECT FROM projection_offset WHERE projection = ANY($1::text[]) AND topic = $2 AND partition = $3
  AND (next_offset > $4 OR (next_offset = $4 AND last_leaf <> $5)))
"""
_TAKE_OVER = """
UPDATE projection_offset AS o
SET next_offset = $5, epoch = epoch + 1, last_leaf = $6, refused = NULL, rules = made.rules
FROM unnest($1::text[], $2::text[]) AS made (projection, rules)
WHERE o.projection = made.projection AND o.topic = $3 AND o.partition = $4
"""
_STATE_RULES = """
UPDATE projection_offset AS o SET rules = made.rules
FROM unnest($1::text[], $2::text[]) AS made (projection, rules)
WHERE o.projection = made.projection AND o.topic = $3 AND o.partition = $4
  AND o.next_offset = 0 AND o.rules = ''
"""
_OTHER_RULES = """
SELECT DISTINCT o.projection FROM projection_offset AS o
JOIN unnest($1::text[], $2::text[]) AS made (projection, rules) USING (projection)
WHERE o.rules <> made.rules AND NOT (o.next_offset = 0 AND o.rules = '') ORDER BY 1
"""
_REFUSE = """
UPDATE projection_offset SET refused = $4 WHERE projection = ANY($1::text[]) AND topic = $2 AND partition = $3
"""


class FenceLost(Exception):
    """Another process wrote this partition's rows, or rebuilt or resumed them: read again where it stands."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where the projections of one topic partition stand.

    `epochs` are the projections that take part, by name; `until` is the offset at which others, which are
    further already, join in; None where all stand together. `last_leaf` is the leaf hash of the record before
    `next_offset`, if it is known; `refused` says why nobody goes further, if nobody does.
    """

    topic: str
    partition: int
    next_offset: int
    epochs: dict[str, int]
    until: int | None = None
    last_leaf: bytes | None = None
    refused: str | None = None


async def enter(connection: Connection, topic: str, partition: int, names: Sequence[str]) -> None:
    """See to it that each projection has a place here; one that never read this partition is at offset 0."""
    await connection.execute(_CREATE, names, topic, partition)


async def enter_topic(connection: Connection, topic: str, names: Sequence[str], partitions: int) -> None:
    """Take places for all partitions of a topic that was never projected, so that their number is known.

    Raises:
        Refusal: it was projected with another number.
    """
    await connection.execute(_FIRST, names, topic, partitions)
    await check_partitions(connection, topic, names, partitions)


async def check_partitions(connection: Connection, topic: str, names: Sequence[str], partitions: int) -> None:
    """Refuse a topic whose number of partitions was changed: a stream's events would lie in two of them.

    Raises:
        Refusal: it is projected with another number than the `partitions` on the cluster.
    """
    known = await connection.fetchval(_COUNT, names, topic)
    if known not in {0, partitions}:
        raise Refusal(
            f"topic {topic}",
            f"has {counted(partitions, 'partition')} on the cluster, but was projected with {known}, and a"
            f" stream's place depends on it: copy those {known} to a topic of {known} under another"
            " FOLKMOOT_TOPIC_PREFIX",
        )


async def position(connection: Connection, topic: str, partition: int, names: Sequence[str]) -> Position:
    """Where to go on."""
    rows = await connection.fetch(_READ, names, topic, partition)
    start = min(row["next_offset"] for row in rows)
    ahead = [row["next_offset"] for row in rows if row["next_offset"] > start]
    here = [row for row in rows if row["next_offset"] == start]
    epochs = {row["projection"]: row["epoch"] for row in here}
    leaf, refused = (
        next((row[name] for row in here if row[name]), None) for name in ("last_leaf", "refused")
    )
    return Position(topic, partition, start, epochs, min(ahead, default=None), leaf, refused)


async def advance(
    connection: Connection, at: Position, end: int, newest_ms: int, last_leaf: bytes | None = None
) -> Position:
    """Move from `at` to the offset `end`, as the first statement of the transaction that writes the rows.

    `last_leaf` is what the record before `end` will be known by.

    Raises:
        FenceLost: somebody else moved, or changed the rows.
    """
    # A time ahead of ours would stay the newest, and hide for as long how old the tables are.
    newest = min(moment(newest_ms), datetime.now(UTC))
    held = [*at.epochs], [*at.epochs.values()]
    status = await connection.execute(
        _ADVANCE, *held, at.topic, at.partition, at.next_offset, end, newest, last_leaf
    )
    if status != f"UPDATE {len(at.epochs)}":
        raise FenceLost(f"{at.topic}/{at.partition} is no longer at offset {at.next_offset}")
    return replace(at, next_offset=end, last_leaf=last_leaf, refused=None)


async def refuse(connection: Connection, at: Position, reason: str | None) -> None:
    """Note why nobody goes further from here, for `moot status`; None: whatever it was is no longer so."""
    await connection.execute(_REFUSE, [*at.epochs], at.topic, at.partition, reason)


async def hold(connection: Connection, topic: str, partition: int, names: Sequence[str]) -> dict[str, int]:
    """Keep every projector off this partition until the transaction ends; where each projection stands."""
    rows = await connection.fetch(_HOLD, names, topic, partition)
    return {row["projection"]: row["next_offset"] for row in rows}


async def raise_epoch(connection: Connection, topic: str, partition: int, names: Sequence[str]) -> None:
    """Make the projectors of this partition read their state again: its rows were changed beside them."""
    await connection.execute(_RAISE, names, topic, partition)


async def state_rules(connection: Connection, topic: str, partition: int, rules: Mapping[str, str]) -> None:
    """Note by which rules the projections begin here; nothing where they have begun."""
    await connection.execute(_STATE_RULES, [*rules], [*rules.values()], topic, partition)


async def other_rules(connection: Connection, rules: Mapping[str, str]) -> list[str]:
    """The projections that have rows which were made by other rules than these, anywhere."""
    return [row[0] for row in await connection.fetch(_OTHER_RULES, [*rules], [*rules.values()])]


async def check_rules(connection: Connection, rules: Mapping[str, str]) -> None:
    """Refuse to go on with rows that were made by other rules: nobody could tell which were settled how.

    Raises:
        Refusal: it names the first such projection.
    """
    for name in await other_rules(connection, rules):
        raise Refusal(
            f"projection {name}",
            f"was made by other rules than this process has: run `moot rebuild {name}` by the policy that is"
            " to hold, and give every process the same FOLKMOOT_CONTEXT_POLICY",
        )


async def take_over(
    connection: Connection, at: Position, others: Sequence[str], rules: Mapping[str, str]
) -> None:
    """Let the projections of `at` stand there with rows made anew by `rules`.

    Raises:
        Refusal: the `others` on this partition stand on another log than that.
    """
    place = at.topic, at.partition, at.next_offset, at.last_leaf
    if await connection.fetchval(_OTHERS, others, *place):
        name = f"{at.topic}/{at.partition}"
        raise Refusal("rebuild", f"{name} is another log than the one projected: only --all helps")
    made = [rules.get(name, "") for name in at.epochs]
    await connection.execute(_TAKE_OVER, [*at.epochs], made, *place)
