"""Who repeats whom: voters that agree beyond what their skills explain count together as fewer voters.

Of independent voters the chance-corrected agreement of a pair is the product of two skills (the one-factor
model behind J. Cohen's kappa, 1960, and spectral crowd models: Ghosh, Kale and McAfee, EC 2011). A pair far
above its product shares a source. Which pairs are the exceptions is decided by fitting the skills robustly
from several starts: a clique explained away as experts would leave everyone else agreeing too much.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from domain.consensus.crowd import Crowd, Integers, Numbers

MOST_VOTERS = 1_000
"""Only the busiest voters are compared: pairs of others share too few items to show anything."""
MOST_LABELS = 2_000
LEAST_SHARED = 4
SIGNIFICANT = 3.5
"""Standard errors above the product of skills from which a pair counts as sharing a source."""
PRIOR_LABELS = (10.0, 100.0, 300.0)
"""Starts of the fit: from skills that may differ freely to skills that are much alike."""
SPREAD = 0.15
"""A voter this far above the median skill is one standard deviation of surprise."""
_CHUNK = 1 << 20
_LOOSE, _BEND, _FAR = 0.05, 2.0, 3.0
_L1_STEPS, _STEPS = 10, 15


@dataclass(frozen=True, slots=True)
class Agreement:
    """Symmetric matrices over voters: items shared, chance-corrected agreement, chance and what it leaves."""

    shared: Numbers
    kappa: Numbers
    chance: Numbers
    free: Numbers

    @property
    def weight(self) -> Numbers:
        """What a pair's kappa counts for: its shared labels, less those that chance decides."""
        weight: Numbers = self.shared * self.free
        return weight


def label_weights(crowd: Crowd) -> Numbers:
    """What each label counts for, in (0, 1], shape (labels,).

    A label counts 1 / (1 + sum of the copying rates with the other voters that gave the item this label):
    five perfect copies count as one vote, independent voters count in full.
    """
    place = _busiest(crowd)
    rates = copying_rates(_agreement(crowd, place))
    repeats = np.zeros(len(crowd.item))
    if rates.any():
        for one, other in _pairs(crowd, place):
            rate = rates[place[crowd.voter[one]], place[crowd.voter[other]]]
            rate = rate * (crowd.choice[one] == crowd.choice[other])
            repeats += np.bincount(one, rate, len(repeats)) + np.bincount(other, rate, len(repeats))
    weights: Numbers = 1 / (1 + repeats)
    return weights


def copying_rates(agreement: Agreement) -> Numbers:
    """For each pair of voters the share of its agreement that skill cannot explain, 0 where none is shown."""
    fits = [_fit(agreement, prior) for prior in PRIOR_LABELS]
    # To read many voters as copies is bold: it must explain more by ten nats than to read them as skilled.
    costs = [_surprise(agreement, fit) + prior / 30 for fit, prior in zip(fits, PRIOR_LABELS, strict=True)]
    skills = fits[int(np.argmin(costs))]
    expected, errors = _residuals(agreement, skills)
    excess = (agreement.kappa - expected) / np.maximum(1 - np.maximum(expected, 0), _LOOSE)
    shrunk = np.clip(excess * agreement.shared / (agreement.shared + 2), 0, 1)
    shown = (errors > SIGNIFICANT) & (agreement.shared >= LEAST_SHARED)
    return np.where(shown, shrunk, 0.0)


def _busiest(crowd: Crowd) -> Integers:
    """Each voter's row in the matrices, -1 for those left out."""
    ranked = np.argsort(-np.bincount(crowd.voter, minlength=crowd.voters), kind="stable")
    place = np.full(crowd.voters, -1)
    place[ranked[:MOST_VOTERS]] = np.arange(min(crowd.voters, MOST_VOTERS))
    return place


def _pairs(crowd: Crowd, place: Integers) -> Iterator[tuple[Integers, Integers]]:
    """Pairs of labels that different voters gave one item, as label indices, in bounded pieces."""
    kept = np.flatnonzero(place[crowd.voter] >= 0)
    ordered = kept[np.argsort(crowd.item[kept], kind="stable")]
    sizes = np.bincount(crowd.item[kept], minlength=crowd.items)
    starts = np.cumsum(sizes) - sizes
    for size in np.unique(sizes[(sizes > 1) & (sizes <= MOST_LABELS)]):
        first, second = np.triu_indices(size, 1)
        begin = starts[sizes == size]
        step = max(1, _CHUNK // len(first))
        for chunk in range(0, len(begin), step):
            at = begin[chunk : chunk + step, np.newaxis]
            one, other = ordered[(at + first).ravel()], ordered[(at + second).ravel()]
            different = crowd.voter[one] != crowd.voter[other]
            yield one[different], other[different]


def _agreement(crowd: Crowd, place: Integers) -> Agreement:
    size = min(crowd.voters, MOST_VOTERS)
    shared, agreed = np.zeros(size * size), np.zeros(size * size)
    for one, other in _pairs(crowd, place):
        cell = place[crowd.voter[one]] * size + place[crowd.voter[other]]
        shared += np.bincount(cell, minlength=size * size)
        agreed += np.bincount(cell, crowd.choice[one] == crowd.choice[other], size * size)
    shared, agreed = (m.reshape(size, size) + m.reshape(size, size).T for m in (shared, agreed))
    known = place[crowd.voter] >= 0
    cell = place[crowd.voter[known]] * crowd.choices + crowd.choice[known]
    said = np.bincount(cell, minlength=size * crowd.choices).reshape(size, crowd.choices)
    common = np.bincount(crowd.choice, minlength=crowd.choices) / len(crowd.choice)
    habits = (said + 2 * common) / (said.sum(axis=1, keepdims=True) + 2)
    chance = habits @ habits.T
    free = np.maximum(1 - chance, _LOOSE)
    kappa = np.where(shared > 0, (agreed / np.maximum(shared, 1) - chance) / free, 0.0)
    return Agreement(shared, kappa, chance, free)


def _residuals(agreement: Agreement, skills: Numbers) -> tuple[Numbers, Numbers]:
    """The product of skills for every pair, and how many standard errors its kappa lies above it."""
    expected = np.outer(skills, skills)
    agreeing = agreement.chance + agreement.free * np.clip(expected, 0, 0.98)
    noise = np.maximum(agreeing * (1 - agreeing), 0.01) / np.maximum(agreement.shared, 1)
    errors = (agreement.kappa - expected) / np.sqrt(noise / agreement.free**2 + _LOOSE**2)
    return expected, np.where(agreement.shared > 0, errors, 0.0)


def _fit(agreement: Agreement, prior: float) -> Numbers:
    """Skills by least absolute, then by redescending squares, drawn to a common skill by `prior` labels."""
    weight, size = agreement.weight, len(agreement.shared)
    middle = _weighted_medians(agreement.kappa.reshape(1, -1), weight.reshape(1, -1))[0]
    common = float(np.sqrt(np.clip(middle, 0.05, 0.95)))
    skills = np.full(size, common)
    alike = np.full((size, 1), common)
    for _ in range(_L1_STEPS):
        others = np.maximum(skills, 0.1)
        ratios = np.hstack([agreement.kappa / others, alike])
        medians = _weighted_medians(ratios, np.hstack([weight * others, alike * prior]))
        skills = (skills + np.clip(medians, -0.95, 0.98)) / 2
    for _ in range(_STEPS):
        _, errors = _residuals(agreement, skills)
        # Too much agreement is an exception to set aside; too little is only a large error.
        trust = np.where(errors > 0, 1 / (1 + (errors / _BEND) ** 2) ** 2, 1 / (1 + (errors / 4) ** 2))
        above = (weight * trust * agreement.kappa) @ skills + prior * common**3
        below = (weight * trust) @ skills**2 + prior * common**2
        skills = (skills + np.clip(above / below, -0.95, 0.98)) / 2
    return skills


def _surprise(agreement: Agreement, skills: Numbers) -> float:
    """How ill the skills explain the pairs, with a bounded loss for pairs that agree too much."""
    _, errors = _residuals(agreement, skills)
    above = errors**2 / 2 / (1 + (np.maximum(errors, 0) / _BEND) ** 2)
    below = np.where(errors > -_FAR, errors**2 / 2, -_FAR * errors - _FAR**2 / 2)
    outstanding = np.maximum(skills - np.median(skills), 0)
    return float(np.where(errors > 0, above, below).sum() / 2 + (outstanding**2).sum() / (2 * SPREAD**2))


def _weighted_medians(values: Numbers, weights: Numbers) -> Numbers:
    """The lower weighted median of each row."""
    order = np.argsort(values, axis=1, kind="stable")
    sums = np.take_along_axis(weights, order, axis=1).cumsum(axis=1)
    middle = (sums >= sums[:, -1:] / 2).argmax(axis=1)
    rows = np.arange(len(values))
    medians: Numbers = values[rows, order[rows, middle]]
    return medians
