"""Geometric median: the point with the least sum of distances to the updates, by smoothed Weiszfeld steps.

K. Pillutla, S. M. Kakade and Z. Harchaoui, "Robust aggregation for federated learning", IEEE Transactions on
Signal Processing 70 (2022) (arXiv:1912.13445), algorithm 2. Every iterate is a weighted mean of the updates,
so its distances follow from those between updates, and the updates themselves are read just twice. Updates
count alike: samples are what a liar would say.
"""

import numpy as np

from domain.learning.strategies.blocks import Block, weighted_sum
from domain.learning.strategies.composed import Combined, Composed, linear
from domain.learning.strategies.distances import squared_distances
from domain.learning.strategies.settings import RATE, Bounds, Settings
from domain.learning.strategy import Updates
from domain.learning.tensors import Schema

FAR = 1e300
APART = 2.0**64
"""How many times the usual squared distance leaves an update out: beyond, a double loses the others' own."""
STILL = 1e-12
"""Iteration ends where no weight moves by more."""


def weiszfeld(distances: Block, smoothing: float, iterations: int) -> Block:
    """The weights, summing to 1, of the mean of updates that is their geometric median.

    Args:
        distances: squared, clients x clients.
        smoothing: least distance (nu) that an update counts as having, in the unit of the updates.
        iterations: at most so many.
    """
    near = _near(distances, smoothing)
    distances = np.minimum(np.where(near[:, None] * near[None, :] > 0, distances, 0.0), FAR)
    weights: Block = near / near.sum()
    for _ in range(iterations):
        # |z - x_i|^2 = sum_j w_j d_ij - 1/2 sum_jk w_j w_k d_jk, for z = sum_j w_j x_j with sum_j w_j = 1
        to_each = weighted_sum(distances, weights.tolist())
        from_z = to_each - (weights * to_each).sum() / 2
        pulls = near / np.maximum(smoothing, np.sqrt(np.maximum(from_z, 0.0)))
        moved = pulls / pulls.sum()
        still = bool(np.abs(moved - weights).max() <= STILL)
        weights = moved
        if still:
            break
    return weights


def _near(distances: Block, smoothing: float) -> Block:
    """1 for each update that is not beyond all measure from most others, as they are from each other.

    Fewer than half of any content change nothing of that measure: to half of all, itself included, an honest
    update is as near as honest ones are. One beyond gets no weight, for a tiny one would still move far.
    """
    middle = (len(distances) - 1) // 2
    usual = np.sort(distances, axis=1)[:, middle]
    most = max(float(np.sort(usual)[middle]), smoothing * smoothing) * APART
    near: Block = (usual <= most).astype(np.float64)
    return near


def _rule(schema: Schema, updates: Updates, settings: Settings) -> Combined:
    distances = squared_distances(schema, updates)
    return linear(weiszfeld(distances, settings["smoothing"], int(settings["iterations"])).tolist(), 1.0)


GEOMETRIC_MEDIAN = Composed(
    "geometric_median",
    _rule,
    individual=True,
    bounds={
        "rate": RATE,
        "smoothing": Bounds(1e-6, 0, 1e3, above=True),
        "iterations": Bounds(100, 1, 10_000, whole=True),
    },
)
