"""What voters have in common: the crowd's habits, how firmly they bind, and who votes without looking.

A voter is one of two kinds. One that looks has a confusion matrix whose rows are drawn around the crowd's
(Dirichlet, its strength learned by T. P. Minka's fixed point, "Estimating a Dirichlet distribution", 2000).
One that does not look says the same whatever the truth (V. C. Raykar and S. Yu, "Eliminating spammers and
ranking annotators", JMLR 13, 2012). Without the second kind its members would pull everyone's habits down.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from domain.consensus.crowd import Crowd, Numbers
from domain.consensus.dawid_skene import Cells
from domain.consensus.gamma import digamma, log_gamma

LIKELY_RIGHT = 0.7
"""What is believed of an unknown crowd's accuracy, worth `BELIEF` voters for each truth."""
BELIEF = 2.0
STRENGTHS = (1.0, 100.0)
"""Least and most labels that the crowd's habits may count for against a voter's own."""
_WARM_UP = 3
"""Rounds in which every voter is taken to look: before that the truths are too vague to tell."""


@dataclass(slots=True)
class Population:
    """`habits` (truths, choices), `strength` in labels, `blind` (voters,): probability of not looking.

    `said` (cells,) and `labels` (voters,) count what was said whatever the truth. `counts` (truths, cells)
    and `totals` (truths, voters) are expected under the posterior last learned from.
    """

    habits: Numbers
    strength: float
    blind: Numbers
    said: Numbers
    labels: Numbers
    counts: Numbers
    totals: Numbers
    rounds: int = 0

    @classmethod
    def of(cls, crowd: Crowd, cells: Cells, posterior: Numbers) -> Self:
        """Nothing is known of the crowd but what is believed of any; `posterior` (truths, items) counts."""
        counts = cells.counts(crowd, posterior)
        totals = cells.totals(crowd, counts)
        said, labels = counts.sum(axis=0), totals.sum(axis=0)
        blind = np.zeros(crowd.voters)
        return cls(belief(crowd.choices), 1.5 * crowd.choices, blind, said, labels, counts, totals)

    def learn(self, crowd: Crowd, cells: Cells, posterior: Numbers) -> None:
        """One step of habits, strength and blindness from what the posterior makes of the labels."""
        self.rounds += 1
        self.counts = cells.counts(crowd, posterior)
        self.totals = cells.totals(crowd, self.counts)
        looking = 1 - self.blind
        # Each voter adds its matrix in the measure in which it is known: a busy one is one voter, no more.
        shares = self.counts * looking[cells.voter] / (self.totals + self.strength)[:, cells.voter]
        sums = np.array([np.bincount(cells.choice, row, crowd.choices) for row in shares])
        sums += BELIEF * belief(crowd.choices)
        self.habits = sums / sums.sum(axis=1, keepdims=True)
        self.strength = self._strength(cells, looking)
        if self.rounds >= _WARM_UP:
            self.blind = (self.blind + self._blindness(crowd, cells)) / 2

    def rates(self, cells: Cells) -> Numbers:
        """The mean probability of each cell under each truth, shape (truths, cells)."""
        looked = self.counts + self.strength * self.habits[:, cells.choice]
        looked /= (self.totals + self.strength)[:, cells.voter]
        unseen = (self.said + 1) / (self.labels + len(self.habits))[cells.voter]
        blind = self.blind[cells.voter]
        rates: Numbers = (1 - blind) * looked + blind * unseen
        return rates

    def confusion(self, cells: Cells) -> Numbers:
        """The mean confusion matrices in full, shape (voters, truths, choices)."""
        looked = np.repeat((self.strength * self.habits)[np.newaxis], len(self.blind), axis=0)
        looked[cells.voter, :, cells.choice] += self.counts.T
        looked /= (self.totals + self.strength).T[:, :, np.newaxis]
        unseen = np.ones((len(self.blind), len(self.habits)))
        unseen[cells.voter, cells.choice] += self.said
        unseen /= unseen.sum(axis=1, keepdims=True)
        blind = self.blind[:, np.newaxis, np.newaxis]
        full: Numbers = (1 - blind) * looked + blind * unseen[:, np.newaxis, :]
        return full

    def _strength(self, cells: Cells, looking: Numbers) -> float:
        """One step of Minka's fixed point, taken threefold because it is slow, for all truths together."""
        now = self.strength
        prior = now * self.habits[:, cells.choice]
        rises = prior * (digamma(self.counts + prior) - digamma(prior))
        gained = float((looking[cells.voter] * rises).sum()) / now
        spent = float((looking * (digamma(self.totals + now) - digamma(np.array(now)))).sum())
        step = float(np.clip((gained / max(spent, 1e-9)) ** 3, 0.5, 2.0))
        return float(np.clip(now * step, *STRENGTHS))

    def _blindness(self, crowd: Crowd, cells: Cells) -> Numbers:
        """How probable each voter's labels make it that it does not look."""
        prior = self.strength * self.habits[:, cells.choice]
        rows = (log_gamma(self.counts + prior) - log_gamma(prior)).sum(axis=0)
        strength = np.array(self.strength)
        looks: Numbers = (log_gamma(strength) - log_gamma(self.totals + strength)).sum(axis=0)
        looks += np.bincount(cells.voter, rows, crowd.voters)
        choices = np.array(float(crowd.choices))
        does_not: Numbers = log_gamma(choices) - log_gamma(self.labels + choices)
        does_not += np.bincount(cells.voter, log_gamma(self.said + 1), crowd.voters)
        share = (self.blind.sum() + 1) / (crowd.voters + 2)
        odds = np.log(share / (1 - share)) + does_not - looks
        found: Numbers = 1 / (1 + np.exp(-np.clip(odds, -50, 50)))
        return found


def belief(choices: int) -> Numbers:
    """The confusion matrix believed of a voter of whom nothing is known."""
    matrix = np.full((choices, choices), (1 - LIKELY_RIGHT) / max(choices - 1, 1))
    np.fill_diagonal(matrix, LIKELY_RIGHT if choices > 1 else 1.0)
    return matrix
