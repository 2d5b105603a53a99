"""Groups of a cohort: where each update is hidden, the sums of small disjoint groups can stand for updates.

A rule against f Byzantine updates then bears f groups with a Byzantine member, fewer clients than it would
bear seeing them all; and a group's sum hides a client among its group only. As in L. He, S. P. Karimireddy
and M. Jaggi, "Byzantine-robust learning on heterogeneous datasets via bucketing", ICLR 2022
(arXiv:2006.09365), groups are drawn anew each time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from domain.learning.strategies.in_memory import InMemory, Sent
from domain.learning.strategy import Updates
from domain.learning.tensors import Tensors
from domain.refusal import Refusal

Groups = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class GroupSum:
    """What is known of a group: the sum of weight * change, the sum of weights, whose they were."""

    total: Tensors
    weight: float
    clients: tuple[str, ...]


def partition(cohort: Sequence[str], groups: int, seed: int) -> Groups:
    """Disjoint groups, of sizes that differ by one at most; each sorted, the same for the same set and seed.

    Raises:
        Refusal: a group would have less than two members, and its sum be one client's update.
    """
    if not 1 <= groups <= len(set(cohort)) // 2:
        raise Refusal(
            "strategy.groups", f"{groups} groups of {len(set(cohort))} clients: each needs two at least"
        )
    shuffled = sorted(set(cohort), key=lambda client: (sha256(f"{seed}/{client}".encode()).digest(), client))
    return tuple(tuple(sorted(shuffled[group::groups])) for group in range(groups))


def name_of(group: int) -> str:
    """What a group is called among the clients of `Updates`; names sort as numbers do."""
    return f"group.{group:05d}"


def group_means(sums: Sequence[GroupSum]) -> Updates:
    """Each group's mean change as one update, of as many samples as its weight.

    Raises:
        Refusal: a group has no weight.
    """
    sent = []
    for place, one in enumerate(sums):
        if one.weight <= 0:
            raise Refusal("weight", f"{name_of(place)} weighs {one.weight:g}: there is no mean of it")
        change = {name: one.total[name] / one.weight for name in sorted(one.total)}
        sent.append(Sent(name_of(place), change, samples=round(one.weight)))
    return InMemory(sent)


def members(excluded: Sequence[str], sums: Sequence[GroupSum]) -> tuple[str, ...]:
    """The clients of groups that a rule left out, sorted."""
    out = set(excluded)
    return tuple(
        sorted(client for place, one in enumerate(sums) if name_of(place) in out for client in one.clients)
    )
