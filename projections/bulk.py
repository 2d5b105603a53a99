"""Rows of a folded batch into their tables: COPY for new ones, COPY and a guarded upsert for the rest."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Column, MetaData, Table, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.schema import CreateTable

from eventlog.topics import family_of
from projections.batch import Folded
from projections.dead_letter import DeadLetter
from projections.fence import Connection, FenceLost
from projections.projection import Projection
from projections.registry import BY_NAME, PROJECTIONS
from projections.states import Stream
from projections.tables import DEAD_LETTER, STAMPS

Row = tuple[Any, ...]


@dataclass(slots=True)
class Rows:
    """A batch as rows; an insert fails on a stream that has a row, an update is lost on one that is newer."""

    inserts: dict[str, list[Row]] = field(default_factory=dict)
    updates: dict[str, list[Row]] = field(default_factory=dict)
    sums: dict[str, list[Row]] = field(default_factory=dict)
    dead: list[Row] = field(default_factory=list)


def rows_of(folded: Folded, partition: int) -> Rows:
    """Make the rows of a batch and take its streams for stored: forget them if the write fails."""
    rows = Rows()
    for stream in folded.touched.values():
        kind = rows.updates if stream.stored else rows.inserts
        name = stream.projection.name
        if name not in kind:
            kind[name] = []
        kind[name].append(row_of(stream, partition))
        stream.stored = True
    for name, sums in folded.sums.items():
        # In the order of keys, so that two partitions that add to the same rows never wait for each other.
        rows.sums[name] = [(*key, *amounts) for key, amounts in sorted(sums.items())]
    rows.dead = [dead_letter_row(dead) for dead in folded.dead]
    return rows


def row_of(stream: Stream, partition: int) -> Row:
    stamps = (
        stream.name,
        stream.version,
        stream.last_id,
        partition,
        stream.first_offset,
        stream.last_offset,
    )
    return stamps + stream.projection.row(stream.state)  # twice as fast as unpacking


def dead_letter_row(dead: DeadLetter) -> Row:
    return (
        dead.id,
        dead.projection,
        dead.topic,
        dead.partition,
        dead.offset,
        dead.stream,
        dead.version,
        dead.event_id,
        dead.kind,
        dead.reason,
        dead.recorded_at,
    )


async def prepare(connection: Connection, topic: str) -> None:
    """Give the session its staging tables, empty: temporary, unlogged, seen by no one else.

    Their transaction's end empties them; one that writes more than once would go through its own rows again.
    """
    family = family_of(topic)
    for projection in PROJECTIONS:
        if projection.topic == family:
            await connection.execute(_staging_ddl(projection.home))
            await connection.execute(f"DELETE FROM {_staging(projection.home).name}")  # noqa: S608 # ours


async def write(connection: Connection, rows: Rows) -> None:
    """Write a batch, inside the transaction that passed the fence.

    Raises:
        asyncpg.UniqueViolationError: a stream taken for new has a row.
        FenceLost: a row is newer than what was folded on it.
    """
    for name, inserts in rows.inserts.items():
        await copy(connection, BY_NAME[name].home.name, columns(BY_NAME[name].home), inserts)
    for name, updates in rows.updates.items():
        home = BY_NAME[name].home
        await copy(connection, f"staging_{home.name}", columns(home), updates)
        status = await connection.execute(_upsert(home))
        if status != f"INSERT 0 {len(updates)}":
            raise FenceLost(f"{home.name}: {status} where {len(updates)} rows were to change")
    if rows.dead:
        await copy(connection, DEAD_LETTER.name, columns(DEAD_LETTER), rows.dead)
    for name, sums in rows.sums.items():  # last: other partitions wait for these rows until the commit
        totals = BY_NAME[name].totals
        if totals is not None:
            await connection.executemany(_add(totals), sums)


async def copy(connection: Connection, table: str, names: Sequence[str], rows: Sequence[Row]) -> None:
    await connection.copy_records_to_table(table, records=rows, columns=list(names))


async def load(connection: Connection, projection: Projection, names: Sequence[str]) -> list[Stream]:
    """The stored streams among `names`, and an empty one for each that is not stored."""
    rows = await connection.fetch(_among(projection.home), names)
    found = {row["stream"]: stream_of(projection, row) for row in rows}
    return [found.get(name) or Stream(name, projection) for name in names]


def stream_of(projection: Projection, row: Sequence[Any]) -> Stream:
    name, version, last_id, _, first_offset, last_offset = row[:STAMPS]
    state = projection.state(row[STAMPS:])
    return Stream(name, projection, version, last_id, first_offset, last_offset, state)


def columns(table: Table) -> list[str]:
    return [column.name for column in table.columns]


@cache  # making the statement takes as long as looking up a hundred streams
def _among(home: Table) -> str:
    return sql(select(home)) + " WHERE stream = ANY($1::text[])"


@cache
def _staging(home: Table) -> Table:
    copied = [Column(column.name, column.type) for column in home.columns]
    return Table(
        f"staging_{home.name}",
        MetaData(),
        *copied,
        prefixes=["TEMPORARY"],
        postgresql_on_commit="DELETE ROWS",
    )


@cache
def _staging_ddl(home: Table) -> str:
    return sql(CreateTable(_staging(home), if_not_exists=True))


@cache
def _upsert(home: Table) -> str:
    names = columns(home)
    new = insert(home).from_select(names, select(_staging(home)))
    changed = {name: new.excluded[name] for name in names if name != "stream"}
    guarded = new.on_conflict_do_update(
        index_elements=["stream"], set_=changed, where=new.excluded.version > home.c.version
    )
    return sql(guarded)


@cache
def _add(totals: Table) -> str:
    key = [column.name for column in totals.primary_key]
    names = columns(totals)
    values = ", ".join(f"${number}" for number in range(1, len(names) + 1))
    added = ", ".join(f"{name} = t.{name} + excluded.{name}" for name in names if name not in key)
    return (
        f"INSERT INTO {totals.name} AS t ({', '.join(names)}) VALUES ({values}) "  # noqa: S608 # our own tables' names
        f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {added}"
    )


def sql(statement: Any) -> str:
    """A statement of SQLAlchemy's without parameters, as asyncpg takes it."""
    return str(statement.compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call] # SQLAlchemy's dialects have no types
