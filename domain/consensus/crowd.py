"""Recorded labels as arrays, and what a model of the crowd makes of them."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from domain.consensus.ballot_table import BallotTable
from domain.refusal import Refusal

Integers = NDArray[np.int64]
Numbers = NDArray[np.float64]

MAX_CELLS = 32_000_000
"""Doubles in one array of a model, 256 MB: bounds voters x choices x choices and items x choices."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """Labels of one table: `item`, `voter` and `choice` are indices, shape (labels,) each."""

    items: int
    voters: int
    choices: int
    item: Integers
    voter: Integers
    choice: Integers

    @classmethod
    def of(cls, table: BallotTable) -> Self:
        """The labels of a table, without their confidence.

        Raises:
            Refusal: the model of this table would not fit into memory.
        """
        items, voters, choices = len(table.items), len(table.voters), len(table.choices)
        if voters * choices**2 > MAX_CELLS or items * choices > MAX_CELLS:
            raise Refusal(
                "weighting",
                f"{items:,} items, {voters:,} voters and {choices:,} choices are too many for a model"
                f" of {MAX_CELLS:,} numbers; use equal or reputation, or split the table",
            )
        columns = np.array([label[:3] for label in table.labels], dtype=np.int64)
        return cls(items, voters, choices, columns[:, 0], columns[:, 1], columns[:, 2])

    def shares(self) -> Numbers:
        """Each item's share of labels for each choice, shape (items, choices); every label counts."""
        cell = self.item * self.choices + self.choice
        counts = np.bincount(cell, minlength=self.items * self.choices).reshape(self.items, self.choices)
        shares: Numbers = counts / counts.sum(axis=1, keepdims=True)
        return shares


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a model learned from a table, in the table's order of items, voters and choices.

    `marginals` (choices,): how common each choice is as the truth. `confusion` (voters, truths, choices):
    the probability that a voter says a choice of an item with a truth; each row adds up to 1. `posterior`
    (items, choices): the probability of each truth. `log_likelihood`: natural logarithm of the probability
    of all labels under `marginals` and `confusion`. `trace`: it, or the bound that the model climbs, after
    each iteration. `converged` is false where the cap on iterations ended the climb.
    """

    method: str
    marginals: Numbers
    confusion: Numbers
    posterior: Numbers
    log_likelihood: float
    iterations: int
    converged: bool
    trace: tuple[float, ...]

    def accuracies(self) -> Numbers:
        """Each voter's probability of saying the truth of an item of this table, shape (voters,)."""
        diagonal = np.diagonal(self.confusion, axis1=1, axis2=2)
        accuracies: Numbers = diagonal @ self.marginals
        return accuracies
