"""Generators of crowds whose truth is known: independent, sparse, skewed, spammed, copying, with hard items.

Every family draws its own parameters, so that no figure hangs on one lucky setting.
"""

from dataclasses import dataclass

import numpy as np

from domain.consensus.crowd import Crowd, Integers, Numbers

Random = np.random.Generator


@dataclass(frozen=True, slots=True)
class Known:
    """A crowd's labels and what is true of its items, shape (items,)."""

    crowd: Crowd
    truth: Integers


def confusions(random: Random, voters: int, choices: int, low: float, high: float) -> Numbers:
    """Matrices whose diagonal lies in low..high around each voter's own skill, errors spread unevenly."""
    skill = random.uniform(low, high, size=(voters, 1))
    right = np.clip(skill + random.normal(0, 0.07, size=(voters, choices)), 0.02, 0.99)
    errors = random.dirichlet(np.full(choices, 1.0), size=(voters, choices))
    errors[:, np.arange(choices), np.arange(choices)] = 0
    errors /= errors.sum(axis=2, keepdims=True)
    matrices: Numbers = errors * (1 - right)[:, :, np.newaxis]
    matrices[:, np.arange(choices), np.arange(choices)] = right
    return matrices


def assigned(random: Random, items: int, voters: int, each: int) -> tuple[Integers, Integers]:
    """Item and voter of every label: `each` different voters an item, some voters far busier than others."""
    busy = np.log(random.gamma(1.0, size=voters) + 1e-3)
    ranks = np.argsort(busy + random.gumbel(size=(items, voters)), axis=1)[:, ::-1][:, :each]
    return np.repeat(np.arange(items), each), ranks.ravel()


def drawn(random: Random, odds: Numbers) -> Integers:
    """One choice from each row of probabilities, shape (rows, choices)."""
    picked = (odds.cumsum(axis=1) < random.random((len(odds), 1))).sum(axis=1)
    return np.minimum(picked, odds.shape[1] - 1)


def labelled(random: Random, matrices: Numbers, marginals: Numbers, items: int, each: int) -> Known:
    """Independent voters with these confusion matrices."""
    voters, choices, _ = matrices.shape
    truth = random.choice(choices, size=items, p=marginals)
    item, voter = assigned(random, items, voters, each)
    choice = drawn(random, matrices[voter, truth[item]])
    return Known(Crowd(items, voters, choices, item, voter, choice), truth)


def independent(random: Random) -> Known:
    choices = int(random.integers(2, 6))
    matrices = confusions(random, int(random.integers(15, 50)), choices, 0.4, 0.9)
    marginals = random.dirichlet(np.full(choices, 5.0))
    return labelled(random, matrices, marginals, int(random.integers(200, 800)), int(random.integers(4, 8)))


def few_labels(random: Random) -> Known:
    choices = int(random.integers(2, 5))
    matrices = confusions(random, int(random.integers(40, 120)), choices, 0.45, 0.9)
    marginals = random.dirichlet(np.full(choices, 5.0))
    return labelled(random, matrices, marginals, int(random.integers(200, 600)), int(random.integers(2, 4)))


def imbalanced(random: Random) -> Known:
    rare = random.uniform(0.03, 0.1, size=int(random.integers(1, 4)))
    matrices = confusions(random, int(random.integers(20, 60)), len(rare) + 1, 0.5, 0.9)
    return labelled(random, matrices, np.array([1 - rare.sum(), *rare]), 500, int(random.integers(3, 7)))


def many_choices(random: Random) -> Known:
    choices = int(random.integers(10, 21))
    matrices = confusions(random, int(random.integers(20, 60)), choices, 0.4, 0.85)
    return labelled(
        random, matrices, random.dirichlet(np.full(choices, 3.0)), 500, int(random.integers(3, 8))
    )


def spammers(random: Random) -> Known:
    """A third to a half of the voters draw lots, or always say the same."""
    choices, voters = int(random.integers(2, 6)), int(random.integers(20, 60))
    matrices = confusions(random, voters, choices, 0.55, 0.9)
    for voter in range(int(voters * random.uniform(0.33, 0.5))):
        always = np.eye(choices)[random.integers(choices)]
        matrices[voter] = (
            random.dirichlet(np.full(choices, 3.0)) if voter % 2 else 0.03 / choices + 0.97 * always
        )
    return labelled(
        random, matrices, random.dirichlet(np.full(choices, 5.0)), 400, int(random.integers(4, 9))
    )


def adversaries(random: Random) -> Known:
    """A tenth to a quarter of the voters know the truth and say something else."""
    choices, voters = int(random.integers(2, 4)), int(random.integers(15, 40))
    matrices = confusions(random, voters, choices, 0.6, 0.9)
    hostile = int(voters * random.uniform(0.1, 0.25))
    matrices[:hostile] = confusions(random, hostile, choices, 0.1, 0.25)
    return labelled(
        random, matrices, random.dirichlet(np.full(choices, 5.0)), 400, int(random.integers(5, 9))
    )


def copied(random: Random, share: float, groups: int) -> Known:
    """`share` of the voters, in groups, mostly repeat what their group's leader would have said."""
    choices, voters = int(random.integers(2, 5)), int(random.integers(12, 30))
    matrices = confusions(random, voters, choices, 0.5, 0.85)
    known = labelled(
        random, matrices, random.dirichlet(np.full(choices, 5.0)), 400, int(random.integers(5, 10))
    )
    crowd, truth = known.crowd, known.truth
    group = np.full(voters, -1)
    for member in range(int(share * voters)):
        group[member] = member % groups
    said = np.stack([drawn(random, matrices[leader][truth]) for leader in range(groups)])
    mine = group[crowd.voter]
    copies = (mine >= 0) & (random.random(len(mine)) < random.uniform(0.75, 1.0))
    choice = np.where(copies, said[mine, crowd.item], crowd.choice)
    return Known(Crowd(crowd.items, voters, choices, crowd.item, crowd.voter, choice), truth)


def clique(random: Random) -> Known:
    return copied(random, random.uniform(0.3, 0.45), 1)


def large_clique(random: Random) -> Known:
    return copied(random, random.uniform(0.45, 0.6), 1)


def small_cliques(random: Random) -> Known:
    return copied(random, random.uniform(0.5, 0.9), int(random.integers(3, 6)))


def difficult(random: Random, each: int, items: int, choices: int, *, decoys: bool) -> Known:
    """Items differ in difficulty (Whitehill et al., "Whose vote should count more", NIPS 2009).

    With `decoys`, the errors on one item go to one wrong choice of its own.
    """
    voters = max(each, int(random.integers(20, 60)))
    truth = random.choice(choices, size=items, p=random.dirichlet(np.full(choices, 5.0)))
    item, voter = assigned(random, items, voters, each)
    ability, ease = random.normal(1.4, 0.8, size=voters), random.lognormal(0.0, 0.9, size=items)
    right = 1 / choices + (1 - 1 / choices) * np.tanh(np.maximum(ability[voter] * ease[item], -0.2) / 2)
    decoy = (truth + random.integers(1, choices, size=items)) % choices
    elsewhere = (truth[item] + random.integers(1, choices, size=len(item))) % choices
    wrong = np.where(decoys & (random.random(len(item)) < 0.7), decoy[item], elsewhere)
    choice = np.where(random.random(len(item)) < right, truth[item], wrong)
    return Known(Crowd(items, voters, choices, item, voter, choice), truth)


def hard_items(random: Random) -> Known:
    return difficult(random, int(random.integers(4, 11)), 500, int(random.integers(2, 5)), decoys=False)


def decoys(random: Random) -> Known:
    return difficult(random, int(random.integers(4, 11)), 400, int(random.integers(3, 7)), decoys=True)


def everyone_votes(random: Random) -> Known:
    return difficult(random, int(random.integers(20, 40)), 110, 2, decoys=False)


def sparse_hard(random: Random) -> Known:
    return difficult(random, 3, 600, int(random.integers(2, 4)), decoys=True)
