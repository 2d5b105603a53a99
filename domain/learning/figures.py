"""What is said of a round beside its model, as it follows from its reports and from the models."""

import math
from collections.abc import Sequence

import numpy as np

from domain.learning.events import Report
from domain.learning.tensors import Tensors

_CHUNK = 1 << 16


def drift_distance(before: Tensors, after: Tensors) -> float:
    """L2 distance over all tensors, divided by the norm of `before`; of a model of zeros, the distance alone.

    In float64, chunk by chunk in the order of names, so that no copy of a model is made.
    """
    moved = norm = 0.0
    for name in sorted(before):
        old, new = before[name].reshape(-1), after[name].reshape(-1)
        for start in range(0, old.size, _CHUNK):
            was = old[start : start + _CHUNK].astype(np.float64)
            norm += float(np.square(was).sum())
            moved += float(np.square(new[start : start + _CHUNK] - was).sum())
    return math.sqrt(moved) / math.sqrt(norm) if norm else math.sqrt(moved)


def mean_loss(reports: Sequence[Report]) -> float | None:
    """Over all rows behind `reports`, of the model that clients were given; null where one does not say."""
    rows = sum(report.samples for report in reports)
    losses = [report.loss * report.samples for report in reports if report.loss is not None]
    return math.fsum(losses) / rows if rows and len(losses) == len(reports) else None
