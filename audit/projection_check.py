"""Whether the projections hold what the log says: both hashed, and the first row that differs."""

from collections.abc import Callable, Mapping
from typing import Any

from audit.finding import Finding
from eventlog.reader import LogReader
from eventlog.record import RetentionLost
from projections.fence import other_rules
from projections.in_memory import MemoryRows, fold_log
from projections.registry import BY_NAME, PROJECTIONS, rules_of
from projections.standing import standing
from projections.state_hash import StoredRows, first_difference, state_hash


async def check_projections(
    reader: LogReader, pool: Any, tell: Callable[[int, int], None] | None = None
) -> tuple[dict[str, str], list[Finding]]:
    """Each projection's state hash as the log gives it, and where the tables say otherwise.

    The tables are read as they are at one moment, and the log is folded up to where they stand then; `pool`
    is asyncpg's, `tell` hears how far that is.
    """
    async with (
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        stand = await standing(connection)
        apart = [
            Finding(f"{topic}/{partition}", f"the projections stand at different offsets: {offsets}")
            for (topic, partition), offsets in stand.items()
            if len(set(offsets.values())) > 1
        ]
        apart += await _set_back(reader, stand)
        apart += [
            Finding(f"projection {name}", "was made by other rules than FOLKMOOT_CONTEXT_POLICY says here")
            for name in await other_rules(connection, rules_of(BY_NAME))
        ]
        if apart:
            return {}, apart
        try:
            folded = await fold_log(reader, {place: max(at.values()) for place, at in stand.items()}, tell)
        except RetentionLost as lost:
            return {}, [Finding("projections", f"cannot be compared: {lost}")]
        return await _compare(StoredRows(connection), folded)


async def _set_back(reader: LogReader, stand: Mapping[tuple[str, int], Mapping[str, int]]) -> list[Finding]:
    """Where the tables were made from records that the log does not hold: nobody can fold up to there."""
    found = []
    for (topic, partition), offsets in stand.items():
        at, (_, end) = max(offsets.values()), await reader.beginning_and_end(topic, partition)
        if at > end:
            problem = f"the projections have read up to offset {at}, but the log ends at {end}"
            found.append(Finding(f"{topic}/{partition}", problem, end))
    return found


async def _compare(stored: StoredRows, folded: MemoryRows) -> tuple[dict[str, str], list[Finding]]:
    hashes, found = {}, []
    for projection in PROJECTIONS:
        expected = await state_hash(folded, projection)
        hashes[projection.name] = expected.digest
        if (await state_hash(stored, projection)).digest != expected.digest:
            differs = await first_difference(stored, folded, projection)
            found.append(Finding(f"projection {projection.name}", f"is not what the log says: {differs}"))
    return hashes, found
