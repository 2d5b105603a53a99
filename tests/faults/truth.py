"""What must hold when the dust has settled: the log read raw, the read tables against it, and the audit."""

import json
from collections.abc import Collection, Mapping
from typing import Any

import asyncpg

from eventlog.reader import LogReader
from projections.in_memory import fold_log
from projections.registry import PROJECTIONS
from projections.standing import standing
from projections.state_hash import StoredRows, state_hash
from tests.faults import ledger
from tests.faults.ledger import Ledger
from tests.faults.positions import Positions, caught_up
from tests.faults.whole_stack import WholeStack
from workers.settings import Settings


async def judge(
    stack: WholeStack, positions: Positions, since: ledger.Ends, items: Collection[str]
) -> Ledger:
    """Wait until all is projected and sealed, then look at everything but the audit; what was read.

    Raises:
        AssertionError: an item is not decided exactly once, or tables differ from the log.
    """
    assert items, "nothing was to be decided, so nothing can be judged"
    await caught_up(positions)
    found = await ledger.read(stack.settings, since)
    faults = found.judged(items)
    assert not faults, f"{len(faults)} faults on the log, the first: {faults[:5]}"
    assert await parked(stack.settings) == []
    stored, folded = await state_hashes(stack.settings)
    assert stored == folded
    return found


async def parked(settings: Settings) -> list[str]:
    """Every dead letter, as a line."""
    connection = await asyncpg.connect(settings.database_url)
    try:
        rows = await connection.fetch("SELECT stream, kind, reason FROM dead_letter LIMIT 20")
    finally:
        await connection.close()
    return [f"{row['stream']} {row['kind']}: {row['reason']}" for row in rows]


async def state_hashes(
    settings: Settings, doctored: str | None = None
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """By projection: the hash of its tables, and of the log folded without any database.

    `doctored` is a statement run before the tables are read and undone after, to see that it is noticed.
    """
    connection = await asyncpg.connect(settings.database_url)
    try:
        async with LogReader(settings.kafka, settings.topic_prefix) as reader:
            transaction = connection.transaction(isolation="repeatable_read")
            await transaction.start()
            try:
                stand = await standing(connection)
                if doctored:
                    assert (await connection.execute(doctored)).endswith(" 1")
                rows = StoredRows(connection)
                stored = {p.name: (await state_hash(rows, p)).digest for p in PROJECTIONS}
            finally:
                await transaction.rollback()
            folded = await fold_log(reader, {place: max(at.values()) for place, at in stand.items()})
            return stored, {p.name: (await state_hash(folded, p)).digest for p in PROJECTIONS}
    finally:
        await connection.close()


async def audited(stack: WholeStack) -> dict[str, Any]:
    """What `moot audit verify` says, which must be that all is well."""
    verified = await stack.moot("audit", "verify", "--json")
    assert verified.status == 0, verified.out + verified.err
    said: dict[str, Any] = json.loads(verified.out)
    assert (said["verified"], said["findings"], said["undecodable"]) == (True, [], 0)
    return said
