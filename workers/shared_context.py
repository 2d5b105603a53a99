"""What a region has, and had, of a key: from the read table, and from the log where that has it no more."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from domain.causality.causal_context import Dot
from domain.context.events import Written, stream_of
from eventlog.reader import LogReader
from projections.context_queries import ContextQueries
from workers.context_log import history
from workers.settings import Settings


class SharedContext:
    """See `activities.ruling.SharedContext`. It connects when it is first asked."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._queries = ContextQueries(settings.database_url)

    async def __aenter__(self) -> Self:
        await self._queries.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._queries.__aexit__(kind, error, trace)

    async def writes(self, region: str, layer: str, key: str, dots: Sequence[Dot]) -> Sequence[Written]:
        stream = stream_of(region, layer, key)
        entry = (await self._queries.entries([stream])).get(stream)
        known = {write.dot: write for write in (*entry.siblings, *entry.ancestors)} if entry else {}
        if not known.keys() >= set(dots):
            start = await self._queries.beginning(stream)
            async with LogReader(self._settings.kafka, self._settings.topic_prefix) as reader:
                told, _ = await history(reader, region, layer, key, start.offset if start else None)
            known = {one.write.dot: one.write for one in told} | known
        return [known[dot] for dot in dots if dot in known]
