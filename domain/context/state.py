"""One key in one region: a join-semilattice of the writes that arrived there, in whatever order and number.

The state is a function of the set of writes alone (Shapiro et al. 2011): siblings are those that no other
write had seen and whose time is not over. What was replaced or lost stays on the log.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from domain.causality import causal_context, version_vector
from domain.causality.causal_context import EMPTY, CausalContext, Dot, covers
from domain.causality.hybrid_clock import Timestamp
from domain.causality.version_vector import VersionVector
from domain.context.ancestors import remember
from domain.context.canonical import same
from domain.context.events import Written
from domain.context.expiry import expired
from domain.context.order import newest_first, place
from domain.context.possible import check_write
from domain.refusal import ImpossibleEvent

Standing = Literal["new", "concurrent", "dominated", "expired", "duplicate", "forked"]
"""How a write met the state. `new`: it stands alone. `expired`: it came when its time was over. `forked`: its
dot is taken by another write, which a node that works never does; both then stand beside each other."""

# Calling a named tuple by its name takes three times as long, for every write folded.
_new = tuple.__new__
_NONE: frozenset[Dot] = frozenset()


class Entry(NamedTuple):
    """What a region holds of one key.

    `siblings` in the total order, the latest first. `seen` are the dots that some write had seen, `received`
    those that arrived here; `newest` is the newest clock that arrived; `ancestors` see `remember`.
    """

    layer: str
    key: str
    siblings: tuple[Written, ...]
    seen: CausalContext
    received: CausalContext
    newest: Timestamp
    ancestors: tuple[Written, ...] = ()


def fold(entry: Entry | None, write: Written) -> Entry:
    """The state after `write`; `entry` is None before a key's first one.

    Raises:
        ImpossibleEvent: the write is of another key, or no node that works could have made it.
    """
    return absorb(entry, write)[0]


def absorb(entry: Entry | None, write: Written) -> tuple[Entry, Standing]:
    """The state after `write`, and how the write met it.

    Raises:
        ImpossibleEvent: as `fold`.
    """
    check_write(write)
    if entry is None:
        received = causal_context.add(EMPTY, write.dot)
        return Entry(write.layer, write.key, (write,), write.context, received, write.clock), "new"
    if write.key != entry.key or write.layer != entry.layer:
        raise ImpossibleEvent("key", "the write is of another key or layer than its stream")
    plain = _plainly(entry, write)
    return _met(entry, write) if plain is None else plain


def _plainly(entry: Entry, write: Written) -> tuple[Entry, Standing] | None:
    """What `_met` gives where numbers suffice, in half its time; None where they do not.

    That is the next write by one who saw all that stands, and by one who saw nothing of the one that stands.
    """
    layer, key, siblings, (seen, seen_beyond), (received, beyond), newest, ancestors = entry
    node, counter, context = write.node, write.counter, write.seen
    if beyond or seen_beyond or write.beyond:
        return None
    if received.get(node, 0) != counter - 1 or seen.get(node, 0) >= counter:
        return None
    unseen = 0
    for sibling in siblings:
        if context.get(sibling.node, 0) < sibling.counter:
            unseen += 1
    clock = _new(Timestamp, (write.wall, write.logical))
    replaced: tuple[Written, ...] = ()
    stand: tuple[Written, ...]
    if not unseen and siblings and write.wall > newest[0]:
        newest, stand, replaced = clock, (write,), siblings
    elif unseen == 1 and len(siblings) == 1:
        newest = max(newest, clock)
        stand = _beside(siblings[0], write, newest)
    else:
        return None
    if not stand:
        return None
    heard = _new(CausalContext, (version_vector.join(seen, context), _NONE))
    arrived: VersionVector = {**received, node: counter}
    counted = _new(CausalContext, (arrived, _NONE))
    kept = remember(ancestors, replaced, newest)
    return _new(Entry, (layer, key, stand, heard, counted, newest, kept)), "concurrent" if unseen else "new"


def _beside(there: Written, write: Written, newest: Timestamp) -> tuple[Written, ...]:
    """Both in the total order; empty where one is over, or where clock and node do not tell them apart."""
    if expired(write, newest) or expired(there, newest):
        return ()
    late, early = place(write), place(there)
    if late == early:
        return ()
    return (write, there) if late > early else (there, write)


def _met(entry: Entry, write: Written) -> tuple[Entry, Standing]:
    layer, key, siblings, seen, received, newest, ancestors = entry
    dot, clock, context = write.dot, write.clock, write.context
    known, replaced = covers(received, dot), covers(seen, dot)
    if known and not replaced and any(_is(write, sibling) for sibling in siblings):
        return entry, "duplicate"
    newest = max(newest, clock)
    kept, gone = _sorted_out(siblings, context, newest)
    if replaced:
        gone.append(write)
    late = not replaced and expired(write, newest)
    if not replaced and not late:
        kept = newest_first((write, *kept)) if kept else (write,)
    state = Entry(
        layer,
        key,
        kept,
        causal_context.join(seen, context),
        received if known else causal_context.add(received, dot),
        newest,
        remember(ancestors, gone, newest),
    )
    return state, _standing(known=known, replaced=replaced, late=late, alone=len(kept) == 1)


def join(one: Entry, other: Entry) -> Entry:
    """The state of who received what both received; both of one key."""
    seen = causal_context.join(one.seen, other.seen)
    newest = max(one.newest, other.newest)
    kept, gone = _sorted_out((*one.siblings, *other.siblings), seen, newest)
    received = causal_context.join(one.received, other.received)
    ancestors = remember(one.ancestors, [*other.ancestors, *gone], newest)
    return Entry(one.layer, one.key, newest_first(kept), seen, received, newest, ancestors)


def context_of(entry: Entry | None) -> CausalContext:
    """What who reads the entry has seen; a write that answers it says so."""
    return EMPTY if entry is None else causal_context.join(entry.seen, entry.received)


def awaited(entry: Entry) -> tuple[Dot, ...]:
    """The latest writes of other nodes that someone has seen and that have not arrived here, node by node."""
    seen, received = entry.seen, entry.received
    latest = {Dot(node, counter) for node, counter in seen.vector.items()} | seen.beyond
    return tuple(sorted(dot for dot in latest if not covers(received, dot)))


def _sorted_out(
    siblings: Iterable[Written], context: CausalContext, newest: Timestamp
) -> tuple[tuple[Written, ...], list[Written]]:
    """Siblings that stand beside a write with this context, and those that it had seen."""
    kept, gone = [], []
    for write in siblings:
        if covers(context, write.dot):
            gone.append(write)
        elif not expired(write, newest):
            kept.append(write)
    return tuple(kept), gone


def _is(one: Written, other: Written) -> bool:
    return one == other and same(one.value, other.value)


def _standing(*, known: bool, replaced: bool, late: bool, alone: bool) -> Standing:
    if known:
        return "duplicate" if replaced or late else "forked"
    if replaced:
        return "dominated"
    if late:
        return "expired"
    return "new" if alone else "concurrent"
