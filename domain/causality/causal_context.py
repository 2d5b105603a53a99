"""Which dots are known: a version vector and the dots beyond it.

Dotted version vectors (Preguiça et al. 2010, arXiv 1011.5808; Almeida et al. 2012) let a node tell one write
of its own from all the writes before it; a causal context (Almeida, Shoker, Baquero 2018) is the same for a
set of them. A dot that arrived before its predecessor lies beyond the vector, so that knowing it claims
nothing about what has not arrived.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from domain.causality import version_vector
from domain.causality.version_vector import VersionVector


@dataclass(frozen=True, slots=True, order=True)
class Dot:
    """One write: the node that made it, and its number (1, 2, 3, …) among that node's writes of one key."""

    node: str
    counter: int


class CausalContext(NamedTuple):
    """A set of dots. Normal form: no zeros, and no dot of `beyond` that the vector has or could take in."""

    vector: VersionVector
    beyond: frozenset[Dot] = frozenset()


EMPTY = CausalContext({})


def normal(vector: VersionVector, beyond: Iterable[Dot]) -> CausalContext:
    """The one way to write this set down: equal sets are equal values."""
    taken = dict(vector)
    left = set()
    for dot in sorted(beyond):  # so that a dot's predecessor comes first
        counter = taken.get(dot.node, 0)
        if dot.counter == counter + 1:
            taken[dot.node] = dot.counter
        elif dot.counter > counter:
            left.add(dot)
    return CausalContext(taken, frozenset(left))


def covers(context: CausalContext, dot: Dot) -> bool:
    return context.vector.get(dot.node, 0) >= dot.counter or dot in context.beyond


def add(context: CausalContext, dot: Dot) -> CausalContext:
    """The context with one dot more."""
    vector, beyond = context
    known = vector.get(dot.node, 0)
    if dot.counter == known + 1 and not beyond:  # the next in order, nearly always
        return CausalContext({**vector, dot.node: dot.counter})
    if dot.counter <= known or dot in beyond:
        return context
    return normal(vector, (*beyond, dot))


def join(one: CausalContext, other: CausalContext) -> CausalContext:
    """All dots of both; one of the two itself where it holds the other and neither has dots beyond."""
    vector = version_vector.join(one.vector, other.vector)
    if one.beyond or other.beyond:
        return normal(vector, one.beyond | other.beyond)
    if vector is one.vector:
        return one
    return other if vector is other.vector else CausalContext(vector)


def meet(one: CausalContext, other: CausalContext) -> CausalContext:
    """The dots that are in both."""
    vector = version_vector.meet(one.vector, other.vector)
    if not one.beyond and not other.beyond:
        return CausalContext(vector)
    both = [dot for dot in one.beyond if covers(other, dot)]
    both += [dot for dot in other.beyond if covers(one, dot)]
    return normal(vector, both)


def dominates(one: CausalContext, other: CausalContext) -> bool:
    """Whether every dot of `other` is in `one`; both in normal form."""
    if version_vector.dominates(one.vector, other.vector):
        return not other.beyond or all(covers(one, dot) for dot in other.beyond)
    return False


def next_dot(context: CausalContext, node: str) -> Dot:
    """The dot of this node's next write of a key of which `context` is all that the node knows."""
    counter = context.vector.get(node, 0)
    if context.beyond:
        counter = max(counter, *(dot.counter for dot in context.beyond if dot.node == node), 0)
    return Dot(node, counter + 1)
