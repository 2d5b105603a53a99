"""Rows, plans and tells for tests of trainers."""

import numpy as np

from domain.learning.trainer import LocalPlan

SMALL = {"features": 3, "classes": 4, "dtype": "float64"}


def rows(count=12, features=3, classes=4, seed=7):
    """Rows that mean nothing; the same seed gives the same."""
    draw = np.random.default_rng(seed)
    return {"x": draw.normal(size=(count, features)), "y": draw.integers(0, classes, count)}


def plan(**changed):
    return LocalPlan(**({"epochs": 1, "batch": 0, "learning_rate": 0.1, "seed": 5} | changed))


def on(done, planned):
    """Never stops."""
    return True


class StopAfter:
    """Asks to stop after `steps` steps, and remembers what it was told."""

    def __init__(self, steps):
        self.steps = steps
        self.told = []

    def __call__(self, done, planned):
        self.told.append((done, planned))
        return done < self.steps


def same(one, other):
    """The same names, dtypes and bits."""
    return one.keys() == other.keys() and all(
        one[name].dtype == other[name].dtype and np.array_equal(one[name], other[name]) for name in one
    )
