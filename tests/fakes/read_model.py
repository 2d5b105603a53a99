"""A read model in memory: what it knows of streams and standings is what a test told it."""

from collections.abc import Mapping, Sequence

from activities.ports import Standing, Standings
from domain.learning.fleet import FleetEvent


class MemoryReadModel:
    def __init__(
        self,
        streams: Mapping[str, str] | None = None,
        standings: Mapping[str, Standing] | None = None,
        failure: Exception | None = None,
        offsets: Sequence[int] = (),
    ) -> None:
        self._streams = dict(streams or {})
        self._standings = dict(standings or {})
        self._failure = failure
        self._offsets = tuple(offsets)
        self.hosts: dict[str, tuple[int, FleetEvent]] = {}

    async def last_event(self, stream: str) -> str | None:
        if self._failure:
            raise self._failure
        return self._streams.get(stream)

    async def standings(self, topic: str, voters: Sequence[str], at: float) -> Standings:
        del topic, at  # a test tells standings of one topic, as decayed
        if self._failure:
            raise self._failure
        known = {voter: self._standings[voter] for voter in voters if voter in self._standings}
        return Standings(known, self._offsets)

    async def newest(self, host: str) -> tuple[int, FleetEvent] | None:
        if self._failure:
            raise self._failure
        return self.hosts.get(host)
