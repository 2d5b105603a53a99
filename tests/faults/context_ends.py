"""What is on the logs and in the tables once everything is healed, for the checker."""

from datetime import datetime

import asyncpg

from domain.conflict.events import CaseOpened, Resolved, Unresolved
from domain.context.events import Written
from domain.context.residency import Residency
from eventlog.codec import decode
from eventlog.reader import LogReader
from projections.context_entry import CONTEXT_ENTRY, from_row
from projections.context_hash import region_hash
from projections.reaction_queries import ReactionQueries
from projections.tables import STAMPS
from tests.faults.context_record import Key, Logged, Opened, Region, place_of

_COLUMNS = ", ".join(column.name for column in CONTEXT_ENTRY.columns)


async def records(reader: LogReader, topic: str) -> list[tuple[bytes, object]]:
    """Every value of a topic, partition by partition, with its event."""
    found = []
    for partition in await reader.partitions(topic):
        beginning, end = await reader.beginning_and_end(topic, partition)
        async for batch in reader.batches(topic, partition, beginning, end):
            found += [(record.value, decode(record.value)) for record in batch]
    return found


async def logged(reader: LogReader, region: str) -> tuple[Logged, ...]:
    found = await records(reader, f"context.{region}")
    return tuple(Logged(event.id, raw, event.data) for raw, event in found if isinstance(event.data, Written))


async def cases(reader: LogReader) -> tuple[Opened, ...]:
    """Once for each event that says so; one that lies there again is no other."""
    events = {event.id: event for _, event in await records(reader, "decisions")}
    ends = {e.stream: e for e in events.values() if isinstance(e.data, Resolved | Unresolved)}
    found = []
    for event in events.values():
        if isinstance(event.data, CaseOpened) and (key := event.data.case.context) is not None:
            end = ends.get(event.stream)
            covers = end.data.covers if end is not None and isinstance(end.data, Resolved) else ()
            closed = _moment(end.time) if end is not None else None
            place = (key.layer, key.key)
            found.append(Opened(event.data.case.id, place, _moment(event.time), closed, covers))
    return tuple(found)


async def regions(
    reader: LogReader, database_url: str, names: tuple[str, ...], residency: Residency
) -> tuple[Region, ...]:
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            return tuple([await _region(reader, connection, name, (names, residency)) for name in names])
    finally:
        await connection.close()


async def _region(reader, connection, name, compared) -> Region:
    rows = await connection.fetch(f"SELECT {_COLUMNS} FROM context_entry WHERE region = $1", name)
    entries = {(row["layer"], row["key"]): from_row(list(row)[STAMPS:]).entry for row in rows}
    counted: dict[Key, int] = {(row["layer"], row["key"]): row["version"] for row in rows}
    hashed = await region_hash(connection, name, [*compared[0]], compared[1])
    return Region(name, await logged(reader, name), entries, counted, hashed.digest)


async def restless(
    reader: LogReader, tables: ReactionQueries, names: tuple[str, ...], residency: Residency
) -> str:
    """What is still to come: copies, rows, cases, rulings; nothing once all is quiet."""
    logs = {
        name: {(place_of(one.write), one.write.dot) for one in await logged(reader, name)} for name in names
    }
    every = set().union(*logs.values())
    counts = await tables._rows("SELECT region, sum(version)::bigint AS writes FROM context_entry GROUP BY 1")
    projected = {row["region"]: row["writes"] for row in counts}
    for name, there in logs.items():
        missing = {one for one in every if residency.allows(*one[0], name)} - there
        if missing:
            return f"{len(missing)} writes are not in {name}: {sorted(missing)[:3]}"
        if projected.get(name, 0) != len(there):
            return f"{projected.get(name, 0)} of {len(there)} writes of {name} are projected"
    if await tables.open_cases():
        return f"open: {sorted(await tables.open_cases())}"
    if waiting := await tables.waiting():
        return f"no case yet: {waiting}"
    ruled = {f"case.{one.case}" for one in await cases(reader) if one.covers}
    unapplied = ruled - {dot.node for _, dot in every}
    return f"rulings on their way: {sorted(unapplied)}" if unapplied else ""


def _moment(at: datetime) -> float:
    return at.timestamp()
