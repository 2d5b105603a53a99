"""What a projection is: a pure fold from one category of streams to rows."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import Table

from domain.event import Event
from domain.refusal import ImpossibleEvent
from eventlog.topics import family_of

# What one event adds to one row of a table of sums: the row's key, and exact integers to add.
Addition = tuple[tuple[str, ...], tuple[int, ...]]

LONGEST_KEY = 600
"""Characters of a sum's key, all parts together: an index of Postgres takes no more than 2,704 bytes."""


class Projection(Protocol):
    """One read model; live, rebuild and audit fold with the same object.

    `name` is pinned. `topic` is the logical topic it reads, or the family of topics of which each region has
    one; `category` the part before the `/` of the streams it takes. `home` is keyed by `stream` and begins
    with `tables.stamps()`. `totals`, if any, holds sums across streams: exact integers, so that the order of
    partitions does not matter; its primary key comes first, and every other column is a sum. Only data of the
    types `adding` adds to them.

    `numbered`: a stream has one writer, which counts its events 1, 2, 3, …. Where it is not, any number of
    nodes write a stream, and the fold itself tells what it has already: it then returns the state that it was
    given, the same object, and for everything else another one. The row's `version` counts those.

    `rules`: a digest of what its rows depend on beside the log, "" for nothing. Rows made by other rules are
    not gone on with: `projections.fence.check_rules`.

    A state is whatever the projection likes, but never changed in place: a fold that fails half way must
    leave no trace.
    """

    @property
    def name(self) -> str: ...
    @property
    def topic(self) -> str: ...
    @property
    def category(self) -> str: ...
    @property
    def home(self) -> Table: ...
    @property
    def totals(self) -> Table | None: ...
    @property
    def adding(self) -> frozenset[type]: ...
    @property
    def numbered(self) -> bool: ...
    @property
    def rules(self) -> str: ...

    def fold(self, state: Any, event: Event) -> Any:
        """The state after `event`; `state` is None before a stream's first one.

        Raises:
            domain.refusal.Refusal: it cannot follow. Any other exception parks the stream just as well.
        """
        ...

    def adds(self, state: Any, event: Event) -> Iterable[Addition]:
        """What `event`, folded into `state`, adds to `totals`."""
        ...

    def settled(self, state: Any) -> bool:
        """Whether nothing can follow: such a stream is kept in the tables only."""
        ...

    def row(self, state: Any) -> tuple[Any, ...]:
        """The values of `home`'s columns after the stamps, as asyncpg takes them."""
        ...

    def state(self, values: Sequence[Any]) -> Any:
        """The state that `row` was made of."""
        ...


def additions(projection: Projection, state: Any, event: Event) -> list[Addition]:
    """What `projection.adds`, as far as its table of sums can hold it.

    Raises:
        ImpossibleEvent: a key is too long.
    """
    added = list(projection.adds(state, event))
    for key, _ in added:
        if sum(map(len, key)) > LONGEST_KEY:
            raise ImpossibleEvent("scores", f"a voter's name is too long beside its topic, {LONGEST_KEY} fit")
    return added


def owned_tables(projection: Projection) -> list[Table]:
    return [projection.home] if projection.totals is None else [projection.home, projection.totals]


def by_category(projections: Iterable[Projection], topic: str) -> Mapping[str, Projection]:
    """Who takes which streams of a topic."""
    family = family_of(topic)
    return {p.category: p for p in projections if p.topic == family}
