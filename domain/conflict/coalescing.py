"""From siblings to cases: one case a key, growing while it is open, never opened twice, the worst first.

Whoever reacts keeps one `KeyRecord` for each key and feeds it every report of siblings, however often it
comes. Late siblings of a full or a closed case are not kept here: they stay siblings in the context, and the
write that applies the ruling, being concurrent to them, has them reported again.
"""

import hashlib
import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from domain.causality.causal_context import Dot
from domain.conflict.case import ContextKey
from domain.conflict.matter import MAX_POSITIONS

OPEN_CASES = 200
"""How many cases run at once unless set otherwise; more wait in the queue."""


@dataclass(frozen=True, slots=True)
class Siblings:
    """A report: these writes of one key are concurrent, and no rule settles them.

    `priority` is the context's own, in 0..100.
    """

    key: ContextKey
    dots: frozenset[Dot]
    severity: float = 0.5
    critical: bool = False
    priority: int = 50


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What is remembered of one key: its open case, and the writes that closed cases have dealt with.

    `settled` is a version vector: of each node the highest counter. A later write of the same node has seen
    its earlier ones, so an earlier one cannot be a sibling any more. `closed` counts the key's closed cases.
    """

    case: str | None = None
    dots: frozenset[Dot] = frozenset()
    settled: Mapping[str, int] = field(default_factory=dict)
    closed: int = 0


NO_RECORD = KeyRecord()


@dataclass(frozen=True, slots=True)
class StartCase:
    """Bring case `case` on `dots`, in the order of the queue."""

    case: str
    key: ContextKey
    dots: tuple[Dot, ...]
    severity: float
    critical: bool
    priority: int


@dataclass(frozen=True, slots=True)
class GrowOpenCase:
    """Hand further writes to the case that is open, or still waits to be."""

    case: str
    key: ContextKey
    dots: tuple[Dot, ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A case in the queue; `arrived` counts up, so that equals go first in, first out."""

    start: StartCase
    arrived: int


def case_id(key: ContextKey, number: int) -> str:
    """The id of the key's `number`-th case (1, 2, 3, …), which anyone derives again.

    The siblings are no part of it: who knows less of them, or has not seen yet that the case was opened, asks
    for the same one. `c-` and 128 bits of a SHA-256 over the length-prefixed parts, in hex.
    """
    parts = [key.layer, key.key, *(["r", key.region] if key.region is not None else ["g"]), str(number)]
    framed = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
    return f"c-{hashlib.sha256(framed).hexdigest()[:32]}"


def coalesce(record: KeyRecord, found: Siblings) -> tuple[KeyRecord, StartCase | GrowOpenCase | None]:
    """What a report of siblings asks for, and what to remember; nothing new asks for nothing.

    Of more writes than a case takes, new ones go first, the least dots before others.
    """
    fresh = sorted(dot for dot in found.dots - record.dots if dot.counter > record.settled.get(dot.node, 0))
    if not fresh:
        return record, None
    if record.case is not None:
        taken = fresh[: MAX_POSITIONS - len(record.dots)]
        if not taken:
            return record, None
        grown = replace(record, dots=record.dots | set(taken))
        return grown, GrowOpenCase(record.case, found.key, tuple(taken))
    # New writes first: no earlier case has dealt with them, whatever is cut off.
    first = tuple([*fresh, *sorted(found.dots.difference(fresh))][:MAX_POSITIONS])
    if len(first) < 2:  # noqa: PLR2004 # one write is in conflict with nothing
        return record, None
    case = case_id(found.key, record.closed + 1)
    start = StartCase(case, found.key, first, found.severity, found.critical, found.priority)
    return replace(record, case=case, dots=frozenset(first)), start


def close(record: KeyRecord, case: str, dealt_with: Iterable[Dot]) -> KeyRecord:
    """The record after `case` had its outcome, which dealt with these writes; unchanged for another case.

    A case that was resolved dealt with what its ruling covers, one left unresolved with all that it held.
    """
    if record.case != case:
        return record
    settled = dict(record.settled)
    for dot in dealt_with:
        settled[dot.node] = max(dot.counter, settled.get(dot.node, 0))
    return KeyRecord(settled=settled, closed=record.closed + 1)


def admit(
    queue: Iterable[Waiting], running: int, most: int = OPEN_CASES
) -> tuple[list[Waiting], list[Waiting]]:
    """Which of the waiting cases start now, in their order, and which wait on; none is dropped.

    Critical ones go first, then the more severe, then by the context's priority, then first in, first out.
    """
    waiting = list(queue)
    starting = heapq.nsmallest(max(0, most - running), waiting, key=_turn)
    chosen = {one.arrived for one in starting}
    return starting, [one for one in waiting if one.arrived not in chosen]


def _turn(one: Waiting) -> tuple[bool, float, int, int]:
    start = one.start
    return (not start.critical, -start.severity, -start.priority, one.arrived)
