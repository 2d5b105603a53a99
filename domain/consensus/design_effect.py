"""How much less n labels of one item tell than n independent ones: hard items mislead all voters."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.consensus.crowd import Integers, Numbers

RHOS = (0.0, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6)
PRIOR_RATE = 10.0
"""Rate of the exponential prior on rho: its mean is 0.1."""
_CHUNK = 1 << 21

LogRates = Callable[[slice], Numbers]
"""For a slice of the labels the log-rate of each under each truth, shape (choices, labels of the slice)."""


def shrinkage(votes: NDArray[Any], rho: float) -> Numbers:
    """What one of `votes` labels of an item counts for: 1 / (1 + (votes - 1) rho) (L. Kish 1965)."""
    factor: Numbers = 1 / (1 + np.maximum(votes - 1, 0) * rho)
    return factor


def learned_rho(
    item: Integers, weights: Numbers, sums: Numbers, log_marginals: Numbers, rates: LogRates
) -> float:
    """The mean of rho, 0 to 0.6, over how well it lets each label be foretold from the others of its item.

    `sums` (choices, items): the weighted log-rates of all labels of each item. A crowd that errs together is
    found out by labels that turn out less certain than independent others had promised; no truth is needed.
    """
    votes = np.bincount(item, weights, sums.shape[1])
    scores = np.zeros(len(RHOS))
    step = max(1, _CHUNK // len(sums))
    for begin in range(0, len(item), step):
        part = slice(begin, begin + step)
        at, mine = item[part], rates(part)
        others = sums[:, at] - weights[part] * mine
        said = np.exp(mine)
        for index, rho in enumerate(RHOS):
            logs = log_marginals[:, np.newaxis] + shrinkage(votes[at], rho) * others
            odds = np.exp(logs - logs.max(axis=0))
            scores[index] += np.log((odds * said).sum(axis=0) / odds.sum(axis=0)).sum()
    rhos = np.array(RHOS)
    scores -= PRIOR_RATE * rhos
    odds = np.exp(scores - scores.max())
    return float((odds * rhos).sum() / odds.sum())
