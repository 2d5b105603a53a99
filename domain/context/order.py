"""The total order of writes: clock, node, hash (Lamport 1978, with Kulkarni's clock). Newest first."""

from collections.abc import Iterable

from domain.context.events import Written, fingerprint

Place = tuple[int, int, str]


def place(write: Written) -> Place:
    """Where the write stands as far as clock and node tell; only a broken node gives one place twice."""
    return (write.wall, write.logical, write.node)


def newest_first(writes: Iterable[Written]) -> tuple[Written, ...]:
    """The distinct writes in the total order, the latest first: the same for every order of the input."""
    held = tuple(writes)
    if len({place(write) for write in held}) == len(held):
        return tuple(sorted(held, key=place, reverse=True))
    distinct = {fingerprint(write): write for write in held}
    return tuple(sorted(distinct.values(), key=_fully, reverse=True))


def newest(writes: Iterable[Written]) -> Written:
    """The last writer of at least one write."""
    return newest_first(writes)[0]


def _fully(write: Written) -> tuple[Place, str]:
    return place(write), fingerprint(write)
