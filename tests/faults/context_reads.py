"""Whether what nodes answered can have been: nothing unwritten, nothing forgotten, nothing come back."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from domain.causality.causal_context import Dot, covers
from domain.causality.hybrid_clock import Timestamp
from domain.context.canonical import same
from domain.context.events import Written
from domain.context.expiry import expired
from tests.faults.context_record import Call, Key, Violation, texts

Known = Mapping[Dot, Written]


def misread(calls: Iterable[Call], writes: Mapping[Key, Known]) -> Iterator[Violation]:
    """Of the calls that were answered, each node's by itself.

    `unwritten`: a value holds what nobody put there. `misshown`: one write stands, another value is shown.
    `unlogged`: a version names a write that no log has.
    `forgotten`: what a node had answered of a key is neither there later nor replaced nor over. `returned`:
    what a node knew to be replaced or over stands again. Together the last two are reads that never go back
    and that hold one's own writes.
    """
    asked: dict[Key, set[str]] = defaultdict(set)
    answered: dict[tuple[str, Key], list[Call]] = defaultdict(list)
    for call in calls:
        if call.kind == "put" and call.outcome != "fail":
            asked[call.place].update(texts(call.value))
        if call.outcome == "ok":
            answered[call.node, call.place].append(call)
    for (_, place), told in answered.items():
        known = writes.get(place, {})
        for call in told:
            made_up = set(texts(call.value)) - asked[place]
            if made_up:
                yield Violation("unwritten", f"{_named(call)}: {min(made_up)!r}")
            alone = known.get(call.dots[0]) if len(call.dots) == 1 else None
            if call.value is not None and alone is not None and not same(call.value, alone.value):
                yield Violation("misshown", f"{_named(call)}: {call.value!r} of {alone.value!r}")
            unlogged = [dot for dot in call.dots if dot not in known]
            if unlogged:
                yield Violation("unlogged", f"{_named(call)}: {unlogged[0].node}:{unlogged[0].counter}")
        yield from _in_order(sorted(told, key=lambda call: call.began), known)


def _in_order(told: list[Call], known: Known) -> Iterator[Violation]:
    past = {call.dots: past_of(call.dots, known) for call in told}
    for number, later in enumerate(told):
        for earlier in told[:number]:
            if earlier.before(later):
                yield from _between(earlier, later, known, past[later.dots])


def _between(earlier: Call, later: Call, known: Known, past: frozenset[Dot]) -> Iterator[Violation]:
    for dot in earlier.dots:
        if dot in known and dot not in later.dots and not _gone(dot, past, known):
            yield Violation("forgotten", f"{_named(later)}: {dot.node}:{dot.counter}")
    had = [known[dot] for dot in earlier.dots if dot in known]
    for dot in later.dots:
        if dot not in known or dot in earlier.dots or not had:
            continue
        newest = max(write.clock for write in had)
        if any(covers(write.context, dot) for write in had) or expired(known[dot], newest):
            yield Violation("returned", f"{_named(later)}: {dot.node}:{dot.counter}")


def past_of(dots: Iterable[Dot], known: Known) -> frozenset[Dot]:
    """All that who has these siblings may have received: what they saw, and what was over by then."""
    found: set[Dot] = set()
    new = {dot for dot in dots if dot in known}
    while new:
        found |= new
        newest = _newest(found, known)
        new = {
            dot
            for dot, write in known.items()
            if dot not in found
            and (expired(write, newest) or any(covers(known[one].context, dot) for one in found))
        }
    return frozenset(found)


def _gone(dot: Dot, past: frozenset[Dot], known: Known) -> bool:
    if not past:
        return False
    return expired(known[dot], _newest(past, known)) or any(covers(known[one].context, dot) for one in past)


def _newest(dots: Iterable[Dot], known: Known) -> Timestamp:
    return max(known[dot].clock for dot in dots)


def _named(call: Call) -> str:
    return f"{call.kind} {call.began} of {call.node} under {call.place}"
