"""Discrete Gaussian noise on named tensors, and how much of what is released it is."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from domain.learning.clipping import from_grid, grid_step, to_grid
from domain.learning.discrete_gaussian import Draw, Integers, sample
from domain.learning.tensors import Tensors


def noised(
    total: Mapping[str, Integers], deviation: float, step: float, draw: Draw
) -> dict[str, NDArray[np.float64]]:
    """`total`, in steps of the grid, with noise of standard deviation `deviation` on every number."""
    sizes = {name: array.size for name, array in sorted(total.items())}
    noise = sample(deviation / step, sum(sizes.values()), draw)
    released, start = {}, 0
    for name, size in sizes.items():
        released[name] = total[name] + noise[start : start + size].reshape(total[name].shape)
        start += size
    return from_grid(released, step)


def add_noise(change: Tensors, norm: float, deviation: float, draw: Draw) -> dict[str, NDArray[np.float64]]:
    """One clipped change, put on the grid and noised."""
    step = grid_step(deviation, norm)
    return noised(to_grid(change, step), deviation, step, draw)


def utility_preserved(released: Tensors, noise_energy: float) -> float:
    """1 - noise / (noise + signal), in squared norms: 1 is undisturbed, 0 is noise alone.

    Noise + signal is the squared norm of what was released, the noise its expectation: nothing but what is
    public already goes in, so that saying it costs no privacy.
    """
    energy = sum(float(np.square(np.asarray(array, np.float64)).sum()) for array in released.values())
    return 0.0 if energy <= 0 else max(0.0, 1 - noise_energy / energy)


def combined(multipliers: Mapping[str, float]) -> float:
    """The noise multiplier of one release that costs what these releases to the same clients cost together.

    Gaussian noise on several parts of one vector is one Gaussian mechanism: 1 / z^2 adds up.
    """
    return 1 / math.sqrt(sum(z**-2 for z in multipliers.values()))
