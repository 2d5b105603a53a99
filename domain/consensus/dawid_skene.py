"""Who errs how, and what is true: expectation maximisation over recorded labels.

A. P. Dawid and A. M. Skene, "Maximum likelihood estimation of observer error-rates using the EM algorithm",
Journal of the Royal Statistical Society C 28 (1979) 20-28.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from domain.consensus.crowd import Crowd, Estimate, Integers, Numbers

MAX_ITERATIONS = 2_000
TOLERANCE = 1e-10
"""Move of the log-likelihood, relative to its size (and absolute below 1), at which EM has converged."""
SMOOTHING = 1e-6
"""Labels added to every cell of every confusion matrix: enough that no single label is ever impossible."""


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells (voter, choice) that occur among the labels; all work is per label and truth, never V*K*K.

    `of_label` (labels,): the cell of each label. `voter`, `choice` (cells,): what a cell stands for.
    """

    of_label: Integers
    voter: Integers
    choice: Integers

    @classmethod
    def of(cls, crowd: Crowd) -> Self:
        """Number the cells that occur."""
        found, of_label = np.unique(crowd.voter * crowd.choices + crowd.choice, return_inverse=True)
        return cls(of_label.astype(np.int64), found // crowd.choices, found % crowd.choices)

    def counts(self, crowd: Crowd, posterior: Numbers) -> Numbers:
        """Expected labels in each cell under each truth, shape (choices, cells)."""
        size = len(self.voter)
        rows = [np.bincount(self.of_label, truth[crowd.item], size) for truth in posterior]
        return np.array(rows)

    def totals(self, crowd: Crowd, counts: Numbers) -> Numbers:
        """Expected labels of each voter under each truth, shape (choices, voters)."""
        return np.array([np.bincount(self.voter, row, crowd.voters) for row in counts])


def estimate(
    crowd: Crowd,
    *,
    smoothing: float = SMOOTHING,
    iterations: int = MAX_ITERATIONS,
    tolerance: float = TOLERANCE,
) -> Estimate:
    """Climb from the shares of the votes until the log-likelihood stands still.

    Every label counts, several of one voter for one item too. The result does not depend on the order of
    the labels but for rounding.
    """
    cells = Cells.of(crowd)
    posterior = np.ascontiguousarray(crowd.shares().T)
    trace: list[float] = []
    converged = False
    while not converged and len(trace) < iterations:
        counts = cells.counts(crowd, posterior)
        totals = cells.totals(crowd, counts)
        marginals = posterior.mean(axis=1)
        posterior, log_likelihood = expect(
            crowd, cells, _log(marginals), _log(_rates(crowd, cells, counts, totals, smoothing))
        )
        # A dip is no convergence: with smoothing the likelihood alone may dip while the climb goes on.
        converged = bool(trace) and abs(log_likelihood - trace[-1]) <= tolerance * max(1, -log_likelihood)
        trace.append(log_likelihood)
    confusion = dense(crowd, cells, counts, totals, smoothing)
    found = np.ascontiguousarray(posterior.T)
    return Estimate(
        "dawid-skene", marginals, confusion, found, trace[-1], len(trace), converged, tuple(trace)
    )


def expect(crowd: Crowd, cells: Cells, log_marginals: Numbers, log_rates: Numbers) -> tuple[Numbers, float]:
    """The posterior of each truth, shape (choices, items), and the log-likelihood of all labels.

    `log_rates` (choices, cells): how likely a truth makes a voter say what the cell stands for.
    """
    logs = np.empty((crowd.choices, crowd.items))
    for truth, rates in enumerate(log_rates):
        logs[truth] = np.bincount(crowd.item, rates[cells.of_label], crowd.items)
    logs += log_marginals[:, np.newaxis]
    highest = logs.max(axis=0)
    joint = np.exp(logs - highest)
    evidence = joint.sum(axis=0)
    return joint / evidence, float(np.sum(np.log(evidence) + highest))


def dense(crowd: Crowd, cells: Cells, counts: Numbers, totals: Numbers, smoothing: float) -> Numbers:
    """The confusion matrices in full, shape (voters, truths, choices); a row without labels is uniform."""
    full = np.zeros((crowd.voters, crowd.choices, crowd.choices))
    full[cells.voter, :, cells.choice] = counts.T
    full += smoothing
    sums = totals.T[:, :, np.newaxis] + smoothing * crowd.choices
    return np.divide(full, sums, out=np.full_like(full, 1 / crowd.choices), where=sums > 0)


def _rates(crowd: Crowd, cells: Cells, counts: Numbers, totals: Numbers, smoothing: float) -> Numbers:
    sums = totals[:, cells.voter] + smoothing * crowd.choices
    return np.divide(counts + smoothing, sums, out=np.full_like(counts, 1 / crowd.choices), where=sums > 0)


def _log(values: Numbers) -> Numbers:
    with np.errstate(divide="ignore"):  # log 0 is -inf: impossible, as it should be
        logs: Numbers = np.log(values)
    return logs
