"""Which event took a version that comes again: asked of the log, since no index of events is kept."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from domain.event import Event
from projections.batch import Decoded
from projections.states import States

Version = tuple[str, int]


class Past(Protocol):
    """The log behind a fold."""

    async def applied_ids(
        self, streams: Mapping[str, int], end: int, discarded: Collection[int]
    ) -> Mapping[Version, str]:
        """The id of the first record of each version of `streams`.

        Each stream is read from the offset it maps to, up to and without `end`; what lies at a `discarded`
        offset counts where no other record has the version.
        """
        ...


class Seen:
    """Ids by version of what a batch repeats; one pass over the log answers for the whole batch."""

    def __init__(
        self, past: Past, states: States, batch: Sequence[Decoded], discarded: Collection[int]
    ) -> None:
        self._past = past
        self._states = states
        self._batch = batch
        self._discarded = discarded
        self._before: Mapping[Version, str] | None = None
        self._within: dict[Version, int] = {}
        self._given_up: dict[Version, int] = {}

    async def applied_id(self, index: int, stream: str, version: int) -> str | None:
        """The id of the event that took `version` of `stream` before the batch's entry at `index`."""
        if self._before is None:
            start = self._batch[0][0].offset
            self._before = await self._past.applied_ids(self._repeated(index, start), start, self._discarded)
            self._index_batch()
        if (stream, version) in self._before:
            return self._before[stream, version]
        for found in (self._within, self._given_up):
            first = found.get((stream, version), index)
            event = self._batch[first][1]
            if first < index and isinstance(event, Event):
                return event.id
        return None

    def _repeated(self, index: int, start: int) -> dict[str, int]:
        """Streams older than the batch that have a known version from `index` on, and where each begins."""
        found = {}
        for _, event in self._batch[index:]:
            stream = self._states.get(event.stream) if isinstance(event, Event) else None
            if stream is None or not isinstance(event, Event) or event.version > stream.version:
                continue
            if stream.first_offset < start:
                found[stream.name] = stream.first_offset
        return found

    def _index_batch(self) -> None:
        for index, (record, event) in enumerate(self._batch):
            if isinstance(event, Event) and record.key == event.stream.encode():
                into = self._given_up if record.offset in self._discarded else self._within
                into.setdefault((event.stream, event.version), index)
