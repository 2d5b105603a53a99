"""Put together what a rebuild needs."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from domain.refusal import Refusal
from domain.strict_json import printable
from eventlog.reader import LogReader
from projections.connection import connect, migrated
from projections.filling import Second
from projections.projection import Projection
from projections.rebuild import Rebuild, Rebuilt, Verified
from projections.registry import BY_NAME
from projections.second_process import SecondProcess
from workers import context_rules, partition_counts
from workers.projector import calm_the_collector
from workers.settings import Settings

Progress = Callable[[int, int], None]


def chosen(name: str | None) -> Sequence[Projection]:
    """The projection of that name; without one, all of them.

    Raises:
        Refusal: there is no such projection.
    """
    if name is None:
        return tuple(BY_NAME.values())
    if name not in BY_NAME:
        raise Refusal("NAME", f"'{printable(name, 40)}' is none of {', '.join(BY_NAME)}")
    return (BY_NAME[name],)


def second_process(settings: Settings) -> SecondProcess:
    """Who takes half of the work; enter it before anything else is begun.

    Raises:
        Refusal: the policy of the shared context cannot be used.
    """
    context_rules.project_by_them()
    calm_the_collector()
    return SecondProcess(settings.kafka, settings.topic_prefix, settings.database_url)


async def rebuild(
    settings: Settings, projections: Sequence[Projection], progress: Progress, second: Second
) -> Rebuilt:
    """See `projections.rebuild.Rebuild.rebuild`."""
    async with _ready(settings, projections, progress, second) as work:
        return await work.rebuild()


async def verify(
    settings: Settings, projections: Sequence[Projection], progress: Progress, second: Second
) -> list[Verified]:
    """See `projections.rebuild.Rebuild.verify`."""
    async with _ready(settings, projections, progress, second) as work:
        return await work.verify()


@asynccontextmanager
async def _ready(
    settings: Settings, projections: Sequence[Projection], progress: Progress, second: Second
) -> AsyncIterator[Rebuild]:
    async with LogReader(settings.kafka, settings.topic_prefix) as reader:
        live = await connect(settings.database_url)
        beside = await connect(settings.database_url)
        try:
            with migrated():
                await partition_counts.check(reader, live)
                yield Rebuild(reader, live, beside, projections, progress=progress, second=second)
        finally:
            live.terminate()
            beside.terminate()
