"""Dawid and Skene's model with honest probabilities: voters learn from one another, copies count less.

Four changes to plain EM, each against one cause of its overconfidence:
1. A voter's matrix is drawn to the crowd's, or found to be blind (`population`): few labels make no expert.
2. An item does not vouch for its own voters: its labels are judged by what the other items say of them
   (collapsed inference, CVB0: A. Asuncion, M. Welling, P. Smyth and Y. W. Teh, UAI 2009).
3. Voters that repeat one another count as fewer (`copying`).
4. Hard items make all voters err together: n labels of an item count for fewer (`design_effect`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from domain.consensus.copying import label_weights
from domain.consensus.crowd import Crowd, Estimate, Integers, Numbers
from domain.consensus.dawid_skene import Cells, expect
from domain.consensus.design_effect import learned_rho, shrinkage
from domain.consensus.population import Population

MAX_ITERATIONS = 300
TOLERANCE = 1e-5
"""Mean move of a probability in one iteration at which the posterior stands still."""
_DAMPED_FROM = 20
_LEAST = 1e-12


def estimate(crowd: Crowd, *, iterations: int = MAX_ITERATIONS, tolerance: float = TOLERANCE) -> Estimate:
    """The posterior of each item with the crowd's dependence taken into account.

    `confusion` are posterior means. `log_likelihood` is that of these point parameters with every label
    counted in full, so that it compares with plain EM's, which seeks the highest. `trace` is the mean
    move of the posterior in each iteration.
    """
    view = _View.of(crowd)
    posterior = _votes(view)
    population = Population.of(crowd, view.cells, posterior)
    trace: list[float] = []
    while len(trace) < iterations and (not trace or trace[-1] > tolerance):
        if trace:
            population.learn(crowd, view.cells, posterior)
        found = _normalised(_sums(view, population, posterior) + _log_marginals(posterior)[:, np.newaxis])
        if len(trace) > _DAMPED_FROM:  # all at once, items and voters could swing against each other
            found = (found + posterior) / 2
        trace.append(float(np.abs(found - posterior).mean()))
        posterior = found
    population.learn(crowd, view.cells, posterior)
    log_marginals = _log_marginals(posterior)
    _, log_likelihood = expect(crowd, view.cells, log_marginals, np.log(population.rates(view.cells)))
    return Estimate(
        method="calibrated",
        marginals=np.exp(log_marginals),
        confusion=population.confusion(view.cells),
        posterior=np.ascontiguousarray(_tempered(view, population, posterior, log_marginals).T),
        log_likelihood=log_likelihood,
        iterations=len(trace),
        converged=trace[-1] <= tolerance,
        trace=tuple(trace),
    )


@dataclass(frozen=True, slots=True)
class _View:
    """The crowd as it is looked at; all but `cells` have the shape (labels,).

    `weights` are what copying leaves of each label. `same_cell` and `same_voter` count the labels of the
    same item by the same voter, with the same choice and with any: more than 1 where one labels twice.
    """

    crowd: Crowd
    cells: Cells
    weights: Numbers
    same_cell: Numbers
    same_voter: Numbers

    @classmethod
    def of(cls, crowd: Crowd) -> Self:
        pair = crowd.item * crowd.voters + crowd.voter
        same_cell, same_voter = _repeats(pair * crowd.choices + crowd.choice), _repeats(pair)
        return cls(crowd, Cells.of(crowd), label_weights(crowd), same_cell, same_voter)


def _repeats(keys: Integers) -> Numbers:
    _, at, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return counts[at].astype(np.float64)


def _votes(view: _View) -> Numbers:
    crowd = view.crowd
    cell = crowd.choice * crowd.items + crowd.item
    votes = np.bincount(cell, view.weights, crowd.choices * crowd.items).reshape(crowd.choices, crowd.items)
    shares: Numbers = votes / votes.sum(axis=0)
    return shares


def _log_marginals(posterior: Numbers) -> Numbers:
    common = posterior.sum(axis=1) + 1
    logs: Numbers = np.log(common / common.sum())
    return logs


def _log_rates(view: _View, population: Population, posterior: Numbers, part: slice) -> Iterator[Numbers]:
    """For each truth how likely it makes each voter say its label, without what the item itself taught.

    Yields an array of shape (labels of the part,) for one truth after the other.
    """
    crowd, cells, strength = view.crowd, view.cells, population.strength
    item, voter, cell = crowd.item[part], crowd.voter[part], cells.of_label[part]
    same_cell, same_voter = view.same_cell[part], view.same_voter[part]
    blind = population.blind[voter]
    unseen = (population.said[cell] - same_cell + 1) / (population.labels[voter] - same_voter + crowd.choices)
    unseen *= blind
    looking = 1 - blind
    for truth, mine in enumerate(posterior):
        said = population.counts[truth] + strength * population.habits[truth, cells.choice]
        labels = population.totals[truth] + strength
        share = mine[item]
        # What is left is at least the prior, but for rounding.
        looked = np.maximum(said[cell] - same_cell * share, _LEAST) / (labels[voter] - same_voter * share)
        yield np.log(looking * looked + unseen)


def _sums(view: _View, population: Population, posterior: Numbers) -> Numbers:
    """The weighted log-rates of each item's labels under each truth, shape (choices, items)."""
    logs = _log_rates(view, population, posterior, slice(None))
    item, items = view.crowd.item, view.crowd.items
    return np.array([np.bincount(item, view.weights * row, items) for row in logs])


def _tempered(view: _View, population: Population, posterior: Numbers, log_marginals: Numbers) -> Numbers:
    crowd = view.crowd

    def rates(part: slice) -> Numbers:
        return np.array(list(_log_rates(view, population, posterior, part)))

    sums = _sums(view, population, posterior)
    rho = learned_rho(crowd.item, view.weights, sums, log_marginals, rates)
    votes = np.bincount(crowd.item, view.weights, crowd.items)
    return _normalised(sums * shrinkage(votes, rho) + log_marginals[:, np.newaxis])


def _normalised(logs: Numbers) -> Numbers:
    odds = np.exp(logs - logs.max(axis=0))
    shares: Numbers = odds / odds.sum(axis=0)
    return shares
