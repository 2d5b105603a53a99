"""The state of a projection as one SHA-256, the same for live, rebuilt and audited rows.

Canonical form: for each table of the projection a line with its name, then a line for each row in the order
of its key's bytes. A line is the JSON array of the row's values: text, numbers and null as JSON has them,
nested state as the text it is stored as, sums as hexadecimal text, moments in RFC 3339 with a Z. Dead letters
belong to the projection whose stream they stop.
"""

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import msgspec
from sqlalchemy import Numeric, Table

from domain.strict_json import printable
from projections.fence import Connection
from projections.projection import Projection, owned_tables
from projections.tables import DEAD_LETTER

PAGE = 2_000
_LONGEST_SHOWN = 120

_encode = msgspec.json.Encoder().encode
Row = Sequence[Any]


class Rows(Protocol):
    """Where rows lie: a schema of a database, or memory."""

    def rows(self, table: Table, projection: Projection) -> AsyncIterator[Row]:
        """The projection's rows of `table` in the order of the key's bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Hashed:
    """A projection's state: SHA-256 in hex, and over how many rows."""

    digest: str
    rows: int


def hashed_tables(projection: Projection) -> list[Table]:
    return [*owned_tables(projection), DEAD_LETTER]


async def state_hash(source: Rows, projection: Projection) -> Hashed:
    """One pass over the projection's rows; memory does not grow with them."""
    digest, count = hashlib.sha256(), 0
    for table in hashed_tables(projection):
        digest.update(_encode([str(table.name)]) + b"\n")
        async for row in source.rows(table, projection):
            digest.update(_encode(canonical(table, row)) + b"\n")
            count += 1
    return Hashed(digest.hexdigest(), count)


async def first_difference(left: Rows, right: Rows, projection: Projection) -> str | None:
    """The first row on which two sources differ, and its column; None where they agree.

    `left` is called "is", `right` "should be".
    """
    for table in hashed_tables(projection):
        ours, theirs = left.rows(table, projection), right.rows(table, projection)
        while True:
            a, b = await anext(ours, None), await anext(theirs, None)
            if a is None and b is None:
                break
            found = _difference(table, a, b)
            if found:
                return found
    return None


def canonical(table: Table, row: Row) -> list[Any]:
    values = list(row)
    for index in _sums(table):
        values[index] = hex(int(values[index]))
    return values


def _difference(table: Table, left: Row | None, right: Row | None) -> str | None:
    ours = canonical(table, left) if left is not None else None
    theirs = canonical(table, right) if right is not None else None
    if ours == theirs:
        return None
    if theirs is None or (ours is not None and _key(table, ours) < _key(table, theirs)):
        return f"{_name(table, ours)} is there, but should not be"
    if ours is None or _key(table, ours) > _key(table, theirs):
        return f"{_name(table, theirs)} is missing"
    columns = [column.name for column in table.columns]
    name, is_, should = next((c, a, b) for c, a, b in zip(columns, ours, theirs, strict=True) if a != b)
    return f"{_name(table, ours)}: {name} is {_shown(is_)}, should be {_shown(should)}"


def _key(table: Table, values: list[Any]) -> list[Any]:
    return [values[index] for index in _key_places(table)]


def _name(table: Table, values: list[Any] | None) -> str:
    key = "/".join(str(part) for part in _key(table, values or []))
    return f"{table.name} {printable(key, _LONGEST_SHOWN)}"


def _shown(value: Any) -> str:
    return printable(_encode(value).decode(), _LONGEST_SHOWN)


@cache
def _key_places(table: Table) -> tuple[int, ...]:
    names = [column.name for column in table.columns]
    return tuple(names.index(column.name) for column in table.primary_key)


@cache
def _sums(table: Table) -> tuple[int, ...]:
    return tuple(i for i, column in enumerate(table.columns) if isinstance(column.type, Numeric))


class StoredRows:
    """Tables of `schema`, or those on the search path; ask inside one repeatable-read transaction."""

    def __init__(self, connection: Connection, schema: str = "") -> None:
        self._connection = connection
        self._schema = schema and f"{schema}."

    async def rows(self, table: Table, projection: Projection) -> AsyncIterator[Row]:
        names = ", ".join(column.name for column in table.columns)
        key = ", ".join(f'{column.name} COLLATE "C"' for column in table.primary_key)
        only = "WHERE projection = $1" if table is DEAD_LETTER else "WHERE $1 <> ''"
        query = f"SELECT {names} FROM {self._schema}{table.name} {only} ORDER BY {key}"  # noqa: S608 # our own tables' names
        async for row in self._connection.cursor(query, projection.name, prefetch=PAGE):
            yield tuple(row)
