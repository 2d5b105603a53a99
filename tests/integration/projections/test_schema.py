"""What the migrations make is what the code declares."""

import asyncio

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine

from projections import schema


async def test_migrations_make_the_declared_tables_and_can_be_repeated(database):
    assert await schema.revision(database) is None
    assert await schema.upgrade(database) == (None, schema.head())
    assert await schema.upgrade(database) == (schema.head(), schema.head())
    engine = create_async_engine(schema.sqlalchemy_url(database))
    options = {"compare_type": True, "compare_server_default": True}
    async with engine.connect() as connection:
        differences = await connection.run_sync(
            lambda c: compare_metadata(MigrationContext.configure(c, opts=options), schema.METADATA)
        )
    await engine.dispose()
    assert differences == []


async def test_two_migrations_at_once_wait_for_each_other(database):
    found = await asyncio.gather(schema.upgrade(database), schema.upgrade(database))
    assert {after for _, after in found} == {schema.head()}
    assert None in {before for before, _ in found}
