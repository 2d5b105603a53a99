"""The replaced writes that a three-way merge may still need, and the choice of the one it starts from."""

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import NamedTuple

from domain.causality import causal_context, version_vector
from domain.causality.causal_context import CausalContext, Dot, covers
from domain.causality.hybrid_clock import Timestamp
from domain.context.events import Written, fingerprint
from domain.context.expiry import expired, expires_at
from domain.context.order import Place, place

KEPT = 2
"""Kept with every key, so that a conflict of two edits needs no look into history; part of the state."""


class Ancestor(NamedTuple):
    """Where siblings parted; neither field is set where they share no past. `missing`: to look up."""

    write: Written | None = None
    missing: tuple[Dot, ...] = ()


NO_ANCESTOR = Ancestor()


def remember(
    held: tuple[Written, ...], replaced: Sequence[Written], newest: Timestamp
) -> tuple[Written, ...]:
    """The `KEPT` replaced writes that live longest, then latest: the same whatever the order of arrival.

    Ranked by expiry first: so none that was left out can ever outlive one that was kept.
    """
    fresh = [write for write in replaced if isinstance(write.value, dict | str)]
    if len(fresh) == 1 and (not held or _plainly_later(fresh[0], held[0])):
        ranked = (fresh[0], *held[: KEPT - 1])
    elif fresh:
        ranked = tuple(_ranked((*held, *fresh))[:KEPT])
    else:
        ranked = held
    if ranked and expired(ranked[-1], newest):
        return tuple(write for write in ranked if not expired(write, newest))
    return ranked


def common_ancestor(siblings: Sequence[Written], known: Iterable[Written]) -> Ancestor:
    """The write that every sibling had seen, with all else that they all had seen in its own past.

    It is searched in `known`. Where it is not there, `missing` names the dots to look up in history; where
    the common past has several ends, no write of history will do, and it stays missing.
    """
    if len(siblings) == 2 and not siblings[0].beyond and not siblings[1].beyond:  # noqa: PLR2004 # nearly always
        found = _of_two(siblings[0].seen, siblings[1].seen, known)
        if found is not None:
            return found
    past = common_past(siblings)
    if past == causal_context.EMPTY:
        return NO_ANCESTOR
    for write in known:
        if covers(past, write.dot) and causal_context.dominates(
            causal_context.add(write.context, write.dot), past
        ):
            return Ancestor(write)
    ends = {Dot(node, counter) for node, counter in past.vector.items()} | past.beyond
    return Ancestor(missing=tuple(sorted(ends)))


def _of_two(one: Mapping[str, int], other: Mapping[str, int], known: Iterable[Written]) -> Ancestor | None:
    """What `common_ancestor` finds, in a third of its time, where numbers suffice; None where they do not."""
    past = one if one == other else version_vector.meet(one, other)
    if not past:
        return NO_ANCESTOR
    for write in known:
        if write.beyond:
            return None
        node, counter, seen = write.node, write.counter, write.seen
        if past.get(node, 0) < counter:
            continue
        for name, count in past.items():
            if seen.get(name, 0) < count and (
                name != node or counter != count or seen.get(name, 0) + 1 != count
            ):
                break
        else:
            return Ancestor(write)
    return None


def common_past(siblings: Sequence[Written]) -> CausalContext:
    """The dots that every one of at least one sibling had seen."""
    return reduce(causal_context.meet, (write.context for write in siblings))


def _plainly_later(write: Written, held: Written) -> bool:
    """Whether two numbers suffice to rank `write` above `held`; nearly always, and quickly."""
    return write.ttl_ms == held.ttl_ms and write.wall > held.wall


def _rank(write: Written) -> tuple[int, Place]:
    return expires_at(write), place(write)


def _ranked(writes: tuple[Written, ...]) -> list[Written]:
    if len({_rank(write) for write in writes}) == len(writes):
        return sorted(writes, key=_rank, reverse=True)
    distinct = {fingerprint(write): write for write in writes}
    return sorted(distinct.values(), key=lambda write: (_rank(write), fingerprint(write)), reverse=True)
