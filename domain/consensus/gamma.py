"""The gamma function's logarithm and its derivative for arrays, which numpy lacks."""

import numpy as np

from domain.consensus.crowd import Numbers

_FROM = 8
"""From here on the asymptotic series hold to 1e-11; smaller values are moved up by recurrence."""


def digamma(values: Numbers) -> Numbers:
    """The derivative of log Gamma, for positive values (Abramowitz and Stegun 6.3.5 and 6.3.18)."""
    rest = np.zeros_like(values, dtype=np.float64)
    moved = np.array(values, dtype=np.float64)
    for _ in range(_FROM):
        small = moved < _FROM
        rest -= np.where(small, 1 / moved, 0)
        moved += small
    square = 1 / (moved * moved)
    series = square * (1 / 12 - square * (1 / 120 - square * (1 / 252 - square / 240)))
    found: Numbers = rest + np.log(moved) - 0.5 / moved - series
    return found


def log_gamma(values: Numbers) -> Numbers:
    """The natural logarithm of Gamma, for positive values (Abramowitz and Stegun 6.1.15 and 6.1.40)."""
    product = np.ones_like(values, dtype=np.float64)
    moved = np.array(values, dtype=np.float64)
    for _ in range(_FROM):
        small = moved < _FROM
        product *= np.where(small, moved, 1)
        moved += small
    square = 1 / (moved * moved)
    series = (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680))) / moved
    found: Numbers = (moved - 0.5) * np.log(moved) - moved + np.log(2 * np.pi) / 2 + series - np.log(product)
    return found
