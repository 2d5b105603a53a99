"""The tables of a database, brought up to date by the migrations."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from projections import registry
from projections.connection import connect
from projections.tables import METADATA

__all__ = ["METADATA", "engine", "head", "revision", "upgrade"]

assert registry.PROJECTIONS  # noqa: S101 # its import puts every projection's tables into METADATA

# Beside this package wherever both are installed; found, not imported, for no layer stands below this one.
_MIGRATIONS = Path(__file__).parents[1] / "migrations"
_LOCK = 0x666F6C6B  # any number that is always the same: two migrations wait for each other


def engine(database_url: str) -> AsyncEngine:
    """SQLAlchemy's, on connections as all others are made: of a URL's parameters it knows none by itself."""
    return create_async_engine("postgresql+asyncpg://", async_creator=lambda: connect(database_url))


async def upgrade(database_url: str) -> tuple[str | None, str]:
    """Run every migration that is missing; revisions before and after. Safe to repeat, also at the same time.

    Raises:
        OSError, TimeoutError, asyncpg.PostgresError: the database does not answer or refuses.
    """
    made = engine(database_url)
    try:
        async with made.begin() as connection:
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            return await connection.run_sync(_upgrade)
    finally:
        await made.dispose()


async def revision(database_url: str) -> str | None:
    """The last migration that the database has."""
    made = engine(database_url)
    try:
        async with made.connect() as connection:
            return await connection.run_sync(_revision)
    finally:
        await made.dispose()


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
