"""Families of generated crowds that were written, and first measured, after `calibrated` was settled."""

import numpy as np

from bench.crowd_families import Known, Random, confusions, copied, difficult, drawn, labelled
from domain.consensus.crowd import Crowd


def schools(random: Random) -> Known:
    """Two schools of voters; the members of each make the same kind of mistakes."""
    choices, voters = int(random.integers(3, 7)), int(random.integers(16, 50))
    matrices = np.empty((voters, choices, choices))
    for school in range(2):
        members = slice(school, voters, 2)
        alike = confusions(random, 1, choices, 0.5, 0.75)
        own = confusions(random, voters, choices, 0.5, 0.9)[members]
        matrices[members] = 0.6 * alike + 0.4 * own
    marginals = random.dirichlet(np.full(choices, 5.0))
    return labelled(random, matrices, marginals, 400, int(random.integers(4, 9)))


def scale(random: Random) -> Known:
    """Grades on a scale of 5: errors go to the neighbouring grade, some voters grade high or low."""
    voters, grades = int(random.integers(12, 50)), np.arange(5)
    shift, width = random.normal(0, 0.4, size=voters), random.uniform(0.3, 0.9, size=voters)
    distance = grades[np.newaxis, np.newaxis, :] - grades[np.newaxis, :, np.newaxis] - shift[:, None, None]
    matrices = np.exp(-((distance / width[:, None, None]) ** 2) / 2) + 0.005
    matrices /= matrices.sum(axis=2, keepdims=True)
    return labelled(random, matrices, random.dirichlet(np.full(5, 4.0)), 400, int(random.integers(3, 8)))


def passers_by(random: Random) -> Known:
    """Very many voters with a handful of labels each."""
    choices = int(random.integers(2, 5))
    matrices = confusions(random, int(random.integers(250, 400)), choices, 0.5, 0.95)
    marginals = random.dirichlet(np.full(choices, 5.0))
    return labelled(random, matrices, marginals, 400, int(random.integers(4, 8)))


def chains(random: Random) -> Known:
    """Half of the voters look at the label given to the item just before theirs, and often repeat it."""
    known = difficult(random, int(random.integers(4, 9)), 400, int(random.integers(2, 5)), decoys=False)
    crowd = known.crowd
    looks = random.random(crowd.voters) < 0.5
    again = random.random(len(crowd.item)) < 0.6
    choice = crowd.choice.copy()
    for at in range(1, len(choice)):
        if crowd.item[at] == crowd.item[at - 1] and looks[crowd.voter[at]] and again[at]:
            choice[at] = choice[at - 1]
    return Known(
        Crowd(crowd.items, crowd.voters, crowd.choices, crowd.item, crowd.voter, choice), known.truth
    )


def everything_at_once(random: Random) -> Known:
    """A clique, blind voters, and items that mislead everyone."""
    known = copied(random, random.uniform(0.2, 0.35), 1)
    crowd = known.crowd
    blind = random.random(crowd.voters) < 0.15
    odds = np.tile(random.dirichlet(np.full(crowd.choices, 3.0)), (len(crowd.item), 1))
    misled = random.random(crowd.items) < 0.1
    decoy = (known.truth + 1) % crowd.choices
    choice = np.where(blind[crowd.voter], drawn(random, odds), crowd.choice)
    fooled = misled[crowd.item] & (random.random(len(choice)) < 0.5)
    choice = np.where(fooled, decoy[crowd.item], choice)
    return Known(
        Crowd(crowd.items, crowd.voters, crowd.choices, crowd.item, crowd.voter, choice), known.truth
    )
