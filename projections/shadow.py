"""A second set of tables beside the live ones, in a schema of its own: filled, compared, swapped in."""

from collections.abc import Sequence

from sqlalchemy import MetaData, Table
from sqlalchemy.schema import AddConstraint, CreateIndex

from eventlog.topics import REGIONAL, TOPICS
from projections import bulk
from projections.batch import Folded
from projections.bulk import Rows
from projections.fence import Connection
from projections.projection import Projection
from projections.resume import parked_streams
from projections.states import Stream
from projections.tables import DEAD_LETTER

SCHEMA = "folkmoot_rebuild"

Sums = dict[str, dict[tuple[str, ...], list[int]]]

_KEYS = 0x666F6C6D  # any number that is always the same: the keys are made once, by whoever needs them first
_HAS_KEYS = "SELECT EXISTS (SELECT FROM pg_indexes WHERE schemaname = $1)"
_GRANTS = """
SELECT format('GRANT %s ON %I.%I TO %s', privilege_type, table_schema, table_name,
              CASE grantee WHEN 'PUBLIC' THEN grantee ELSE quote_ident(grantee) END) AS statement
FROM information_schema.role_table_grants WHERE table_schema = $1 AND table_name = $2
"""


class TakenTwice(Exception):
    """A stream that was taken for new is in the tables: fill them again without such trust."""


class Shadow:
    """Tables that have no keys as long as rows only come in: keys cost more than the rows.

    They are made when a row must be found again, and at the end. `connection` finds these tables alone: where
    they are gone, it fails and never takes the live ones of the same name. `load` and `write` are
    `pipeline.Tables`.
    """

    def __init__(self, connection: Connection, tables: Sequence[Table], live: str) -> None:
        self._connection, self._tables, self._live = connection, tables, live
        self._sums = Folded(0, 0)
        self._keyed = False

    async def create(self) -> None:
        """Begin anew; what a rebuild that died left behind goes."""
        await self.drop()
        await self._connection.execute(f"CREATE SCHEMA {SCHEMA}")
        for table in self._tables:
            await self._connection.execute(
                f"CREATE TABLE {SCHEMA}.{table.name} (LIKE {self._live}.{table.name}) {_storage(table)}"
            )
        await self.enter()

    async def enter(self) -> None:
        """Work on the tables that there are, with this connection too."""
        await self._connection.execute(f"SET search_path = {SCHEMA}")
        for topic in (*TOPICS, *REGIONAL):
            await bulk.prepare(self._connection, topic)

    async def drop(self) -> None:
        await self._connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")

    async def load(self, projection: Projection, names: Sequence[str]) -> list[Stream]:
        await self._make_keys()
        return await bulk.load(self._connection, projection, names)

    async def write(self, folded: Folded, rows: Rows) -> None:
        """Take rows; the sums wait for `finish`.

        Raises:
            asyncpg.UniqueViolationError: a stream that was taken for new is there.
        """
        if rows.updates:
            await self._make_keys()
        self._sums.absorb(Folded(folded.start, folded.end, sums=folded.sums))
        async with self._connection.transaction():
            await bulk.write(self._connection, Rows(rows.inserts, rows.updates, dead=rows.dead))

    def take_sums(self) -> Sums:
        """The sums so far, which somebody else will write."""
        sums, self._sums = self._sums.sums, Folded(0, 0)
        return sums

    def add_sums(self, sums: Sums) -> None:
        self._sums.absorb(Folded(0, 0, sums=sums))

    async def parked(self, topic: str, partition: int, names: Sequence[str]) -> set[str]:
        return await parked_streams(self._connection, topic, partition, names)

    async def finish(self) -> None:
        """Make the keys and write the sums; more may be written after it.

        Raises:
            asyncpg.UniqueViolationError: a stream that was taken for new is there twice.
        """
        await self._make_keys()
        sums, self._sums = bulk.rows_of(self._sums, 0), Folded(0, 0)
        async with self._connection.transaction():
            await bulk.write(self._connection, sums)

    async def _make_keys(self) -> None:
        if self._keyed:
            return
        async with self._connection.transaction():
            await self._connection.execute("SELECT pg_advisory_xact_lock($1)", _KEYS)
            if not await self._connection.fetchval(_HAS_KEYS, SCHEMA):
                for table in self._tables:
                    copied = table.to_metadata(MetaData(), schema=SCHEMA)
                    await self._connection.execute(bulk.sql(AddConstraint(copied.primary_key)))
                    for index in copied.indexes:
                        await self._connection.execute(bulk.sql(CreateIndex(index)))
        self._keyed = True


async def swap(
    connection: Connection, tables: Sequence[Table], live: str, projections: Sequence[str]
) -> None:
    """Put the shadow tables in the place of the live ones, within the caller's transaction.

    A reader sees the old rows or the new ones; one that reads at this moment is waited for.
    """
    for table in tables:
        if table is DEAD_LETTER:
            continue
        grants = [row["statement"] for row in await connection.fetch(_GRANTS, live, table.name)]
        await connection.execute(f"DROP TABLE {live}.{table.name}")
        await connection.execute(f"ALTER TABLE {SCHEMA}.{table.name} SET SCHEMA {live}")
        for grant in grants:
            await connection.execute(grant)
    parked = f"DELETE FROM {live}.dead_letter WHERE projection = ANY($1::text[])"  # noqa: S608 # the live schema's name
    await connection.execute(parked, projections)
    await connection.execute(f"INSERT INTO {live}.dead_letter SELECT * FROM {SCHEMA}.dead_letter")  # noqa: S608 # as above


def _storage(table: Table) -> str:
    given = table.dialect_options["postgresql"]["with"] or {}
    return f"WITH ({', '.join(f'{k} = {v}' for k, v in given.items())})" if given else ""
