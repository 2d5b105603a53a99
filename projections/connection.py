"""Connections to Postgres, and how the driver's faults are told apart: only this package knows the driver."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from domain.refusal import Refusal
from projections.fence import Connection

NOT_MIGRATED = (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError)
_WITHIN = 10.0  # seconds until a connection must stand
# The third is what asyncpg says of a connection that broke in the middle of a COPY.
AWAY = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)

# A plan that is kept from when a table was small reads all of it for every look-up, until it is analysed.
PLANNED_ANEW = {"plan_cache_mode": "force_custom_plan"}

# Classes of SQLSTATE that pass by themselves: connections, a standby, passwords and databases still to come,
# deadlocks, resources, locks, an operator, the system. Any other is the fault of a statement or its values.
_PASSING = frozenset({"08", "25", "28", "3D", "40", "53", "55", "57", "58"})


def is_away(error: BaseException) -> bool:
    """Whether it helps to wait: Postgres is not there, or not able to. Any other fault would come again."""
    if isinstance(error, asyncpg.PostgresError):
        return str(error.sqlstate)[:2] in _PASSING
    return isinstance(error, AWAY)


def fault(error: BaseException) -> str:
    """A fault in words that quote nothing of the values it is about: its type, and the table and column."""
    place = (getattr(error, name, None) for name in ("table_name", "column_name"))
    return " of ".join([type(error).__name__, *filter(None, reversed([*place]))])


def shown(url: str) -> str:
    """Host and port of a database; the whole URL holds a password."""
    place = urlsplit(url).netloc.rpartition("@")[2]
    return place if ":" in place else f"{place}:5432"


async def connect(
    url: str, *, within: float = _WITHIN, statement_within: float | None = None, application: str = "folkmoot"
) -> Connection:
    """A connection of the caller's own, who terminates it.

    Args:
        url: postgresql://…
        within: seconds until it must stand.
        statement_within: seconds for one statement; by default any time.
        application: by what name `pg_stat_activity` shows it.

    Raises:
        OSError, TimeoutError, asyncpg.PostgresError: one of `AWAY`.
    """
    opened: Connection = await _open(
        url,
        timeout=within,
        command_timeout=statement_within,
        server_settings=PLANNED_ANEW | {"application_name": application},
    )
    return opened


@contextlib.asynccontextmanager
async def pool(url: str, most: int) -> AsyncIterator[Any]:
    """At most `most` connections, made when they are asked for, terminated at the end."""
    # None in store: the pool would try to restore it behind our back, and say each time that it cannot.
    made = await asyncpg.create_pool(url, min_size=0, max_size=most, timeout=_WITHIN, connect=_open)
    try:
        yield made
    finally:
        made.terminate()


async def _open(*url: Any, **driver: Any) -> Any:
    try:
        return await asyncpg.connect(*url, **driver)
    except TimeoutError:  # the driver's has no words
        within = driver["timeout"]
        raise TimeoutError(f"Postgres at {shown(*url)} does not answer within {within:g} s") from None


@contextlib.contextmanager
def migrated() -> Iterator[None]:
    """Refuse in one line where tables or columns turn out to be missing."""
    try:
        yield
    except NOT_MIGRATED:
        raise Refusal("postgres", "its tables are missing or old: run `moot migrate`") from None
