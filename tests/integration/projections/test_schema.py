"""What the migrations make is what the code declares."""

import asyncio
from urllib.parse import urlsplit

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from projections import schema
from projections.connection import connect
from projections.queries import Queries


async def test_migrations_make_the_declared_tables_and_can_be_repeated(database):
    assert await schema.revision(database) is None
    assert await schema.upgrade(database) == (None, schema.head())
    assert await schema.upgrade(database) == (schema.head(), schema.head())
    engine = schema.engine(database)
    options = {"compare_type": True, "compare_server_default": True}
    async with engine.connect() as connection:
        differences = await connection.run_sync(
            lambda c: compare_metadata(MigrationContext.configure(c, opts=options), schema.METADATA)
        )
    await engine.dispose()
    assert differences == []


async def test_the_parameters_of_the_drivers_are_taken(database):
    apart = urlsplit(database)
    host = f"postgresql://{apart.username}:{apart.password}@/{apart.path[1:]}?host={apart.hostname}&port={apart.port}"
    for url in (f"{database}?sslmode=disable&application_name=ours", f"{host}&target_session_attrs=any"):
        assert (await schema.upgrade(url))[1] == await schema.revision(url) == schema.head()


async def test_settings_of_the_session_are_taken_as_options(database):
    connection = await connect(f"{database}?options=-c%20statement_timeout%3D5s")
    try:
        assert await connection.fetchval("SHOW statement_timeout") == "5s"
    finally:
        connection.terminate()


async def test_two_migrations_at_once_wait_for_each_other(database):
    found = await asyncio.gather(schema.upgrade(database), schema.upgrade(database))
    assert {after for _, after in found} == {schema.head()}
    assert None in {before for before, _ in found}


async def test_a_look_up_is_planned_for_the_table_as_it_is_and_not_as_it_was(database):
    connection = await connect(database)
    assert await connection.fetchval("SHOW plan_cache_mode") == "force_custom_plan"
    connection.terminate()
    async with Queries(database) as queries:
        (row,) = await queries._rows("SHOW plan_cache_mode")
    assert [*row] == ["force_custom_plan"]
