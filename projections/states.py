"""The folded state of streams, kept in memory between batches within a bound."""

from collections.abc import Iterable
from typing import Any

from projections.projection import Projection


class Stream:
    """How far one stream is folded. Version 0: nothing of it was applied. `stored`: its row exists."""

    __slots__ = ("first_offset", "last_id", "last_offset", "name", "projection", "state", "stored", "version")

    def __init__(  # noqa: PLR0917 # a row's stamps, in their order
        self,
        name: str,
        projection: Projection,
        version: int = 0,
        last_id: str = "",
        first_offset: int = -1,
        last_offset: int = -1,
        state: Any = None,
    ) -> None:
        self.name = name
        self.projection = projection
        self.version = version
        self.last_id = last_id
        self.first_offset = first_offset
        self.last_offset = last_offset
        self.state = state
        self.stored = version > 0


class States:
    """At most `capacity` recently used streams and about as many before them.

    Two generations instead of an ordered list: a use costs one look-up, and forgetting costs nothing. Without
    `settled` ones, a stream is forgotten as soon as nothing can follow: what comes again is looked up.
    """

    def __init__(self, capacity: int = 10_000, *, settled: bool = True) -> None:
        self._capacity = capacity
        self._settled = settled
        self._young: dict[str, Stream] = {}
        self._old: dict[str, Stream] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._young or name in self._old

    def get(self, name: str) -> Stream | None:
        found = self._young.get(name)
        if found is None and self._old:
            found = self._old.pop(name, None)
            if found is not None:
                self._young[name] = found
        return found

    def put(self, stream: Stream) -> None:
        self._young[stream.name] = stream

    def age(self, touched: Iterable[Stream] = ()) -> None:
        """Forget what was used longest ago, and what settled among `touched`; between batches only."""
        if not self._settled:
            for stream in touched:
                if stream.projection.settled(stream.state):
                    self._young.pop(stream.name, None)  # where it is, having just been used
        if len(self._young) >= self._capacity:
            self._old, self._young = self._young, {}
