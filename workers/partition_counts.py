"""That each topic has the partitions that it was projected with: looked at before anything is written."""

import structlog

from eventlog.reader import LogReader
from eventlog.topics import family_of
from projections.connection import AWAY, connect
from projections.fence import Connection, check_partitions
from projections.registry import PROJECTIONS, standing_on
from workers.away import why
from workers.settings import Settings

_log = structlog.get_logger(__name__)
_ANSWER_WITHIN = 5.0  # seconds for Postgres


async def check(reader: LogReader, connection: Connection) -> None:
    """Hold the cluster's topics against the projections.

    Raises:
        Refusal: a topic is missing, or was projected with another number of partitions.
        asyncpg.UndefinedTableError: the database was not migrated.
    """
    families = {projection.topic for projection in PROJECTIONS}
    for topic in [name for name in await reader.topics() if family_of(name) in families]:
        await check_partitions(connection, topic, standing_on(topic), len(await reader.partitions(topic)))


async def check_if_known(settings: Settings) -> None:
    """For who writes and needs no tables: where Postgres cannot tell, the projector will.

    Raises:
        Refusal: as `check`.
    """
    async with LogReader(settings.kafka, settings.topic_prefix) as reader:
        try:
            connection = await connect(
                settings.database_url, within=_ANSWER_WITHIN, statement_within=_ANSWER_WITHIN
            )
            try:
                await check(reader, connection)
            finally:
                connection.terminate()
        except AWAY as error:
            _log.warning("partitions.unchecked", cause=why(error))
