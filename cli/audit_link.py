"""What the audit's commands read: the log and its database, connected for the length of one command."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from domain.refusal import Refusal
from eventlog.reader import LogReader
from eventlog.record import RetentionLost
from projections.connection import migrated, pool
from workers.settings import Settings


@contextlib.asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[tuple[Any, LogReader]]:
    """A pool of connections and a reader.

    Raises:
        Refusal: the tables are not there, or the log lost records.
        OSError: one of the servers does not answer.
    """
    try:
        async with (
            pool(settings.database_url, most=2) as connections,
            LogReader(settings.kafka, settings.topic_prefix) as reader,
        ):
            with migrated():
                yield connections, reader
    except RetentionLost as lost:
        raise Refusal("log", str(lost)) from None
