"""Put together what a rebuild needs."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from domain.refusal import Refusal
from domain.strict_json import printable
from eventlog.reader import LogReader
from projections.connection import connect, migrated
from projections.filling import Helper
from projections.helper import HelperProcess
from projections.projection import Projection
from projections.rebuild import Rebuild, Rebuilt, Verified
from projections.registry import BY_NAME
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


def helping(settings: Settings) -> HelperProcess:
    """Who takes half of the work; enter it before anything else is begun."""
    calm_the_collector()
    return HelperProcess(settings.kafka, settings.topic_prefix, settings.database_url)


async def rebuild(
    settings: Settings, projections: Sequence[Projection], progress: Progress, helper: Helper
) -> Rebuilt:
    """See `projections.rebuild.Rebuild.rebuild`."""
    async with _ready(settings, projections, progress, helper) as work:
        return await work.rebuild()


async def verify(
    settings: Settings, projections: Sequence[Projection], progress: Progress, helper: Helper
) -> list[Verified]:
    """See `projections.rebuild.Rebuild.verify`."""
    async with _ready(settings, projections, progress, helper) as work:
        return await work.verify()


@asynccontextmanager
async def _ready(
    settings: Settings, projections: Sequence[Projection], progress: Progress, helper: Helper
) -> AsyncIterator[Rebuild]:
    async with LogReader(settings.kafka, settings.topic_prefix) as reader:
        live = await connect(settings.database_url)
        beside = await connect(settings.database_url)
        try:
            with migrated():
                yield Rebuild(reader, live, beside, projections, progress=progress, helper=helper)
        finally:
            live.terminate()
            beside.terminate()
