"""Bulyan: Krum selects n - 2f updates one by one, then of each number those nearest the median are averaged.

E. M. El Mhamdi, R. Guerraoui and S. Rouault, "The hidden vulnerability of distributed learning in
Byzantium", ICML 2018 (arXiv:1802.07927), section 4: theta = n - 2f are selected, each by Krum among those
left, then the beta = theta - 2f values nearest the median are averaged, number by number. The median is one
of the values, the lower where theta is even, as the paper defines it; of two values as far from it, the
lower is nearer.
"""

import numpy as np

from domain.learning.strategies.blocks import Block
from domain.learning.strategies.composed import Combined, Composed
from domain.learning.strategies.distances import squared_distances
from domain.learning.strategies.krum import mean_of
from domain.learning.strategies.median import ordered
from domain.learning.strategies.settings import BYZANTINE, RATE, Settings, needs
from domain.learning.strategy import Updates
from domain.learning.tensors import Schema


def selected(distances: Block, byzantine: int) -> list[int]:
    """The places of n - 2f clients, as Krum takes them one after another from those left.

    Among m left, a score sums the distances to max(1, m - f - 2) neighbours; the last alone has none.
    """
    clients = len(distances)
    others = distances.copy()
    np.fill_diagonal(others, np.inf)
    nearest = np.argsort(others, axis=1, kind="stable")[:, :-1]
    near = np.take_along_axis(others, nearest, axis=1)
    left = np.ones(clients, bool)
    taken: list[int] = []
    while len(taken) < clients - 2 * byzantine:
        neighbours = max(1, clients - len(taken) - byzantine - 2)
        counted = left[nearest]
        counted &= np.cumsum(counted, axis=1) <= neighbours
        scored = np.where(counted, near, 0.0).sum(axis=1)
        scored[~left] = np.inf
        best = int(np.argmin(scored))
        taken.append(best)
        left[best] = False
    return sorted(taken)


def nearest_mean(block: Block, count: int) -> Block:
    """Of each number the mean of the `count` values that are nearest the median."""
    values = ordered(block)
    median = values[(len(values) - 1) // 2]
    # The nearest are a window of the ascending values; it moves up while what it drops is the farther.
    spare = len(values) - count
    first = np.zeros(values.shape[1], np.intp)
    for start in range(spare):
        first += (median - values[start]) > (values[start + count] - median)
    total = np.zeros(values.shape[1])
    columns = np.arange(values.shape[1])
    for place in range(count):
        total += values[first + place, columns]
    return total / count


def _rule(schema: Schema, updates: Updates, settings: Settings) -> Combined:
    byzantine = int(settings["byzantine"])
    taken = selected(squared_distances(schema, updates), byzantine)
    count = len(taken) - 2 * byzantine
    return Combined(lambda block: nearest_mean(block[taken], count), mean_of(taken, updates).excluded)


def _fits(settings: Settings, clients: int) -> None:
    byzantine = int(settings["byzantine"])
    needs("bulyan", clients, 4 * byzantine + 3, f"n >= 4 f + 3 (f = byzantine = {byzantine})")


BULYAN = Composed(
    "bulyan",
    _rule,
    individual=True,
    bounds={"rate": RATE, "byzantine": BYZANTINE},
    fits=_fits,
)
