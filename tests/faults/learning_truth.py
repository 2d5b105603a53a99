"""What a learning cycle must leave behind, whatever was killed under it; without the product's own folds."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from domain.event import Event
from domain.learning.events import (
    CycleClosed,
    CycleOpened,
    Report,
    RoundAbandoned,
    RoundAggregated,
    RoundOpened,
    UpdatesCollected,
)

_TRAILER, _KEY = 96, 32
"""Bytes after a masked update: two public keys and a commitment; bytes of a key."""


def digests(events: Iterable[Event]) -> tuple[str, ...]:
    """The model of each round, in their order."""
    return tuple(event.data.digest for event in events if isinstance(event.data, RoundAggregated))


def faults(events: Sequence[Event], outcome: Mapping[str, Any], undisturbed: tuple[str, ...]) -> list[str]:
    """All that is wrong with a cycle that ended, a line each.

    `events`: of its stream, in the log's order, repetitions dropped. `undisturbed`: `digests` of a cycle of
    the same seeds in which nothing was killed.
    """
    return [
        *_order(events),
        *_asked_once(events),
        *_counted_once(events),
        *_ends(events, outcome),
        *(
            f"{digests(events)} are not the models of the undisturbed cycle"
            for _ in _other(events, undisturbed)
        ),
    ]


def reports_of(events: Iterable[Event]) -> list[Report]:
    return [one for event in events if isinstance(event.data, UpdatesCollected) for one in event.data.reports]


def masked_twice(store: Path, sizes: Iterable[int]) -> list[str]:
    """Updates masked under a key that masks another one, too; `sizes`: of the files that may be such."""
    by_key: dict[bytes, list[str]] = {}
    wanted = set(sizes)
    for path in store.rglob("*"):
        if path.is_file() and path.stat().st_size in wanted:
            key = path.read_bytes()[-_TRAILER:][_KEY : 2 * _KEY]
            by_key.setdefault(key, []).append(path.name[:12])
    return [f"one key masks {sorted(names)}" for names in by_key.values() if len(names) > 1]


def _order(events: Sequence[Event]) -> Iterator[str]:
    versions = [event.version for event in events]
    if versions != [*range(1, len(events) + 1)]:
        yield f"the versions are {versions}"
    for before, after in pairwise(events):
        if after.causation_id != before.id:
            yield f"{after.version} does not follow from the one before it"


def _asked_once(events: Sequence[Event]) -> Iterator[str]:
    """A cohort is asked once, and each client of it is told of once."""
    asked = {
        _place(e.data): [m.client for m in e.data.cohort] for e in events if isinstance(e.data, RoundOpened)
    }
    opened = Counter(_place(e.data) for e in events if isinstance(e.data, RoundOpened))
    yield from (f"round {place} was opened {n} times" for place, n in opened.items() if n > 1)
    told: dict[tuple[int, int], list[str]] = {place: [] for place in asked}
    for data in (event.data for event in events if isinstance(event.data, UpdatesCollected)):
        told.setdefault(_place(data), []).extend(
            [one.client for one in data.reports] + [one.client for one in data.lost]
        )
    for place, clients in told.items():
        if sorted(clients) != sorted(asked.get(place, [])):
            yield f"round {place} asked {sorted(asked.get(place, []))} and was told of {sorted(clients)}"


def _counted_once(events: Sequence[Event]) -> Iterator[str]:
    """An update enters one model, once, and a round has one model."""
    rounds = [event.data.round for event in events if isinstance(event.data, RoundAggregated)]
    if rounds != [*range(1, len(rounds) + 1)]:
        yield f"the models are those of rounds {rounds}"
    used: Counter[str] = Counter()
    for data in (event.data for event in events if isinstance(event.data, RoundAggregated)):
        entered = [one for one in _reported(events, data) if one.client not in data.excluded]
        used.update(one.sha256 for one in entered)
        lines = "".join(f"{digest}\n" for digest in sorted(one.sha256 for one in entered))
        if data.entered != hashlib.sha256(lines.encode()).hexdigest() or data.clients != len(entered):
            yield f"round {data.round}: what entered is not what was reported"
    yield from (f"the update {digest[:12]} entered {n} times" for digest, n in used.items() if n > 1)


def _ends(events: Sequence[Event], outcome: Mapping[str, Any]) -> Iterator[str]:
    opened = [event.data for event in events if isinstance(event.data, CycleOpened)]
    closed = [event.data for event in events if isinstance(event.data, CycleClosed)]
    if len(opened) != 1 or len(closed) != 1 or events[-1].data != closed[0]:
        yield f"it was opened {len(opened)} times and closed {len(closed)} times"
        return
    made = [event.data for event in events if isinstance(event.data, RoundAggregated)]
    entered = sum(data.clients for data in made)
    if len(made) != opened[0].request.rounds:
        yield f"it has {len(made)} of {opened[0].request.rounds} rounds"
    told = closed[0].insights_aggregated, outcome["insights_aggregated"]
    if told != (entered, entered):
        yield f"{told} updates are said to have entered, and it were {entered}"
    if {closed[0].digest, outcome["digest"], made[-1].digest} != {made[-1].digest}:
        yield "its model is not that of its last round"


def _other(events: Sequence[Event], undisturbed: tuple[str, ...]) -> Iterator[None]:
    if digests(events) != undisturbed:
        yield None


def _reported(events: Sequence[Event], data: RoundAggregated) -> list[Report]:
    return reports_of(
        e for e in events if isinstance(e.data, UpdatesCollected) and _place(e.data) == _place(data)
    )


def _place(data: RoundOpened | UpdatesCollected | RoundAggregated | RoundAbandoned) -> tuple[int, int]:
    return data.round, data.attempt
