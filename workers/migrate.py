"""Topics, tables and search attributes: everything the servers must have before a worker starts."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.refusal import Refusal
from eventlog.topic_setup import ensure_topics
from projections import schema
from projections.connection import AWAY
from workers.settings import Settings


@dataclass(frozen=True, slots=True)
class Migrated:
    """What was done; nothing is listed that was there already.

    `by_hand` are search attributes, each with its type, where the service takes them from its own tool only.
    """

    topics: tuple[str, ...]
    tables_from: str | None
    tables_to: str
    search_attributes: tuple[str, ...]
    by_hand: tuple[str, ...] = ()


async def migrate(settings: Settings, replication: int = 1, regions: Sequence[str] = ()) -> Migrated:
    """Bring Kafka, Postgres and Temporal up to date; safe to repeat, also at the same time.

    Args:
        settings: where the three servers are.
        replication: on how many brokers a topic that is made now is kept.
        regions: of the shared context, that are to exist from now on; those there are stay.

    Raises:
        Refusal: a server does not answer, or has something that is not fit; what was done before stays done.
    """
    try:
        topics = await ensure_topics(
            settings.kafka, settings.topic_prefix, regions=regions, replication=replication
        )
    except (OSError, TimeoutError) as error:
        raise Refusal("kafka", str(error)) from None
    try:
        before, after = await schema.upgrade(settings.database_url)
    except AWAY as error:
        raise Refusal("postgres", f"does not take the tables: {type(error).__name__}: {error}") from None
    return Migrated(topics.created, before, after, *await _search_attributes(settings))


async def _search_attributes(settings: Settings) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Those added, and those to be added by hand."""
    # Only here: Temporal's client is the slowest import of all.
    from workers import search_attributes
    from workers.temporal_client import connect

    client = await connect(settings)
    try:
        return tuple(await search_attributes.register(client)), ()
    except search_attributes.NotOurs:
        return (), search_attributes.described()
