"""Krum and multi-Krum: the update, or the mean of the `keep` updates, with the nearest neighbours.

P. Blanchard et al., "Machine learning with adversaries: Byzantine tolerant gradient descent", NeurIPS 2017
(arXiv:1703.02757): the score of an update is the sum of squared distances to its n - f - 2 nearest; the
least wins, and between equals the first client id. Updates count alike: samples are what a liar would say.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domain.learning.strategies.blocks import Block
from domain.learning.strategies.composed import Combined, Composed, linear
from domain.learning.strategies.distances import squared_distances
from domain.learning.strategies.settings import BYZANTINE, MAX_COUNT, RATE, Bounds, Settings, needs
from domain.learning.strategy import Updates
from domain.learning.tensors import Schema
from domain.refusal import Refusal


def scores(distances: Block, byzantine: int) -> Block:
    """The sum of each client's squared distances to its n - f - 2 nearest others."""
    clients = len(distances)
    others = distances.copy()
    np.fill_diagonal(others, np.inf)
    others.sort(axis=1)
    nearest = np.ascontiguousarray(others[:, : clients - byzantine - 2])
    summed: Block = nearest.sum(axis=1)
    return summed


def chosen(scored: Block, keep: int) -> NDArray[np.intp]:
    """The clients with the least scores, in the order of their ids."""
    return np.sort(np.argsort(scored, kind="stable")[:keep])


def mean_of(kept: Sequence[int] | NDArray[np.intp], updates: Updates) -> Combined:
    """The mean of some updates, each counted alike; the others are excluded."""
    inside = {int(place) for place in kept}
    weights = [float(place in inside) for place in range(len(updates.clients))]
    excluded = tuple(client for client, weight in zip(updates.clients, weights, strict=True) if not weight)
    return linear(weights, float(len(inside)), excluded)


def kept_of(settings: Settings, clients: int) -> int:
    """How many updates multi-Krum keeps: n - f where the settings leave it open."""
    return int(settings["keep"]) or clients - int(settings["byzantine"])


def _krum(schema: Schema, updates: Updates, settings: Settings) -> Combined:
    scored = scores(squared_distances(schema, updates), int(settings["byzantine"]))
    return mean_of(chosen(scored, 1), updates)


def _multi_krum(schema: Schema, updates: Updates, settings: Settings) -> Combined:
    scored = scores(squared_distances(schema, updates), int(settings["byzantine"]))
    return mean_of(chosen(scored, kept_of(settings, len(updates.clients))), updates)


def _fits_krum(settings: Settings, clients: int) -> None:
    byzantine = int(settings["byzantine"])
    needs("krum", clients, 2 * byzantine + 3, f"n >= 2 f + 3 (f = byzantine = {byzantine})")


def _fits_multi(settings: Settings, clients: int) -> None:
    byzantine = int(settings["byzantine"])
    needs("multi_krum", clients, 2 * byzantine + 3, f"n >= 2 f + 3 (f = byzantine = {byzantine})")
    if settings["keep"] > clients - byzantine:
        raise Refusal(
            "strategy.keep",
            f"{settings['keep']:g} of {clients} updates must hold some of the {byzantine} Byzantine; "
            f"at most {clients - byzantine}, or 0 for just that",
        )


KRUM = Composed(
    "krum",
    _krum,
    individual=True,
    bounds={"rate": RATE, "byzantine": BYZANTINE},
    fits=_fits_krum,
)
MULTI_KRUM = Composed(
    "multi_krum",
    _multi_krum,
    individual=True,
    bounds={
        "rate": RATE,
        "byzantine": BYZANTINE,
        "keep": Bounds(0, 0, MAX_COUNT, whole=True),
    },
    fits=_fits_multi,
)
