"""Whether conflicts were brought once, and ruled on once."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from domain.causality.causal_context import Dot, covers
from domain.context.events import Written
from tests.faults.context_record import Key, Opened, Violation


def mishandled(cases: Iterable[Opened], writes: Mapping[Key, Mapping[Dot, Written]]) -> Iterator[Violation]:
    """`opened twice`: a case, or two of a key at once. `ruled`: a ruling is not one write over them."""
    told = tuple(cases)
    times = Counter(one.case for one in told)
    yield from (Violation("opened twice", case) for case, count in times.items() if count > 1)
    yield from _at_once(told)
    rulings: dict[str, list[Written]] = defaultdict(list)
    for known in writes.values():
        for write in known.values():
            if write.case is not None:
                rulings[write.case].append(write)
    closed = {one.case: one for one in told if one.covers}
    for case in rulings.keys() | closed.keys():
        yield from _applied(case, closed.get(case), rulings.get(case, []))


def _at_once(cases: Iterable[Opened]) -> Iterator[Violation]:
    by_key: dict[Key, list[tuple[float, float, str]]] = defaultdict(list)
    for one in cases:
        end = float("inf") if one.closed is None else one.closed
        by_key[one.place].append((one.opened, end, one.case))
    for place, spans in by_key.items():
        for (_, end, first), (start, _, second) in pairwise(sorted(spans)):
            if start < end and first != second:
                yield Violation("opened twice", f"{second} while {first} was open on {place}")


def _applied(case: str, told: Opened | None, found: list[Written]) -> Iterator[Violation]:
    if told is None or len(found) != 1:
        yield Violation("ruled", f"{case} was closed: {told is not None}; it has {len(found)} writes")
    elif not all(covers(found[0].context, dot) for dot in told.covers):
        yield Violation("ruled", f"{case} does not replace all that it was to")
