"""The tables of a database, brought up to date by the migrations."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from projections import registry
from projections.tables import METADATA

__all__ = ["METADATA", "head", "revision", "sqlalchemy_url", "upgrade"]

assert registry.PROJECTIONS  # noqa: S101 # its import puts every projection's tables into METADATA

# Beside this package wherever both are installed; found, not imported, for no layer stands below this one.
_MIGRATIONS = Path(__file__).parents[1] / "migrations"
_LOCK = 0x666F6C6B  # any number that is always the same: two migrations wait for each other


def sqlalchemy_url(database_url: str) -> str:
    """`postgresql://…` as SQLAlchemy names it with asyncpg."""
    return "postgresql+asyncpg://" + database_url.partition("://")[2]


async def upgrade(database_url: str) -> tuple[str | None, str]:
    """Run every migration that is missing; revisions before and after. Safe to repeat, also at the same time.

    Raises:
        OSError, asyncpg.PostgresError: the database does not answer or refuses.
    """
    engine = create_async_engine(sqlalchemy_url(database_url))
    try:
        async with engine.begin() as connection:
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            return await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


async def revision(database_url: str) -> str | None:
    """The last migration that the database has."""
    engine = create_async_engine(sqlalchemy_url(database_url))
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_revision)
    finally:
        await engine.dispose()


def head() -> str:
    """The last migration that there is."""
    found = ScriptDirectory.from_config(_config()).get_current_head()
    if found is None:
        raise LookupError("there are no migrations")
    return found


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config


def _upgrade(connection: Connection) -> tuple[str | None, str]:
    config = _config()
    config.attributes["connection"] = connection
    before = _revision(connection)
    command.upgrade(config, "head")
    return before, head()


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
