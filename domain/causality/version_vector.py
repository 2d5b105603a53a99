"""Version vectors (Parker et al. 1983): how many events of each node are known. Absent is none; no zeros."""

from collections.abc import Mapping
from typing import Literal

VersionVector = Mapping[str, int]
Order = Literal["equal", "before", "after", "concurrent"]


def dominates(one: VersionVector, other: VersionVector) -> bool:
    """Whether `one` knows everything that `other` knows."""
    if one is other:
        return True
    for node, counter in other.items():  # noqa: SIM110 # all() over a generator takes twice as long
        if one.get(node, 0) < counter:
            return False
    return True


def compare(one: VersionVector, other: VersionVector) -> Order:
    """`before`: `other` knows all that `one` does, and more."""
    if dominates(one, other):
        return "equal" if dominates(other, one) else "after"
    return "before" if dominates(other, one) else "concurrent"


def join(one: VersionVector, other: VersionVector) -> VersionVector:
    """The least vector that dominates both; one of the two itself where it does."""
    if dominates(other, one):
        return other
    if dominates(one, other):
        return one
    joined = dict(one)
    for node, counter in other.items():
        if joined.get(node, 0) < counter:
            joined[node] = counter
    return joined


def meet(one: VersionVector, other: VersionVector) -> VersionVector:
    """The greatest vector that both dominate."""
    return {node: min(counter, other[node]) for node, counter in one.items() if node in other}
