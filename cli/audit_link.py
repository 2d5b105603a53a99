"""What the audit's commands read: the log and its database, connected for the length of one command."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import asyncpg

from domain.refusal import Refusal
from eventlog.reader import LogReader
from eventlog.record import RetentionLost
from workers.settings import Settings


@contextlib.asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[tuple[Any, LogReader]]:
    """A pool of asyncpg's and a reader.

    Raises:
        Refusal: the tables are not there, or the log lost records.
        OSError: one of the servers does not answer.
    """
    pool = await asyncpg.create_pool(settings.database_url, min_size=1, max_size=2)
    try:
        async with LogReader(settings.kafka, settings.topic_prefix) as reader:
            yield pool, reader
    except asyncpg.UndefinedTableError:
        raise Refusal("database", "has no tables yet: run `moot migrate`") from None
    except RetentionLost as lost:
        raise Refusal("log", str(lost)) from None
    finally:
        pool.terminate()
