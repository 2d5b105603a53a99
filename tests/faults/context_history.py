"""A checker in the manner of Jepsen: which promises of shared context a recorded history breaks, by name.

It knows what was asked, what was answered, and what lies on the logs and in the tables after everything was
healed; it asks nobody. What a name means stands beside the check that gives it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import reduce

from domain.causality.causal_context import Dot, covers
from domain.context.canonical import same
from domain.context.events import Written
from domain.context.replica import canonical_bytes
from domain.context.state import Entry, fold
from tests.faults.context_answers import miswritten
from tests.faults.context_cases import mishandled
from tests.faults.context_reads import misread
from tests.faults.context_record import History, Key, Region, Violation, named, place_of

Writes = Mapping[Key, Mapping[Dot, Written]]


def violations(history: History) -> list[Violation]:
    """Everything that is wrong with it; nothing for a history that keeps every promise."""
    writes = _writes(history.regions)
    return [
        *miswritten(history),
        *_copied(history),
        *misread(history.calls, writes),
        *_converged(history, writes),
        *mishandled(history.cases, writes),
    ]


def _writes(regions: Iterable[Region]) -> dict[Key, dict[Dot, Written]]:
    found: dict[Key, dict[Dot, Written]] = defaultdict(dict)
    for region in regions:
        for one in region.log:
            found[place_of(one.write)].setdefault(one.write.dot, one.write)
    return found


def _copied(history: History) -> Iterator[Violation]:
    """Each write is on the log of each region that may have it, the same, and of no other.

    `missing`: it did not get there. `misplaced`: it is pinned elsewhere. `forked`: a dot stands for two
    writes, or an event for two texts, so that readers may drop one for the other.
    """
    dots: dict[tuple[Key, Dot], list[Written]] = defaultdict(list)
    for region in history.regions:
        raw: dict[str, bytes] = {}
        for event, text, write in region.log:
            if raw.setdefault(event, text) != text:
                yield Violation("forked", f"event {event} on the log of {region.name}")
            if not history.residency.allows(write.layer, write.key, region.name):
                yield Violation("misplaced", f"{named(write)} on the log of {region.name}")
            known = dots[place_of(write), write.dot]
            if not any(write == one and same(write.value, one.value) for one in known):
                known.append(write)
    there = {region.name: {(place_of(w), w.dot) for _, _, w in region.log} for region in history.regions}
    for (place, dot), known in dots.items():
        if len(known) > 1:
            yield Violation("forked", f"{named(known[0])} is {len(known)} writes")
        for region in history.allowed(place):
            if (place, dot) not in there[region.name]:
                yield Violation("missing", f"{named(known[0])} is not on the log of {region.name}")


def _converged(history: History, writes: Writes) -> Iterator[Violation]:
    """Tables say what the set of writes says, whatever came first, and how often.

    `diverged`: hashes differ. `misfolded`: not the state of the writes on the region's log. `siblings`: not
    those that no other write has seen, and whose time is not over. `miscounted`: a row counts more or fewer
    writes than there are.
    """
    if len({region.digest for region in history.regions}) > 1:
        yield Violation("diverged", ", ".join(f"{one.name} {one.digest[:12]}" for one in history.regions))
    for region in history.regions:
        delivered = _writes([region])
        for place in delivered.keys() | region.entries.keys():
            where, there = f"{place} in {region.name}", delivered.get(place, {})
            entry = region.entries.get(place)
            if entry is None or not there:
                yield Violation("misfolded", f"{where}: {'no row' if entry is None else 'no write'}")
                continue
            ordered = sorted(there.values(), key=lambda write: write.dot)
            states = {canonical_bytes(_folded(order)) for order in (ordered, ordered[::-1])}
            if states != {canonical_bytes(entry)}:
                yield Violation("misfolded", where)
            if {write.dot for write in entry.siblings} != standing(there.values()):
                yield Violation("siblings", where)
            if region.counted.get(place) != len(there):
                yield Violation("miscounted", f"{where}: {region.counted.get(place)} of {len(there)}")
    for place in writes:
        bytes_of = {canonical_bytes(r.entries[place]) for r in history.allowed(place) if place in r.entries}
        if len(bytes_of) > 1:
            yield Violation("diverged", f"{place}")


def standing(writes: Iterable[Written]) -> set[Dot]:
    """The siblings among these writes, by what the words mean, without a fold."""
    held = list(writes)
    newest = max(write.wall for write in held)
    return {
        one.dot
        for one in held
        if not any(covers(other.context, one.dot) for other in held)
        and (one.ttl_ms is None or one.wall + one.ttl_ms > newest)
    }


def _folded(writes: Iterable[Written]) -> Entry:
    entry = reduce(fold, writes, None)
    if entry is None:
        raise AssertionError("no writes")
    return entry
