"""The task of `bench.privacy`: digits over 200 clients, and the ways to release a sum of updates."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.learning.clipping import Quantile, clip, grid_step, is_within, to_grid
from domain.learning.noise import add_noise, noised

CLIENTS, SHARE, ROUNDS, DELTA = 200, 0.25, 40, 1e-3
CLIP, RATE, EPOCHS = 0.5, 0.5, 5
EXPECTED = CLIENTS * SHARE
Numbers = NDArray[np.float64]
Change = dict[str, Numbers]


@dataclass(frozen=True, slots=True)
class Digits:
    """Rows to train on by client, and rows held out."""

    clients: list[tuple[Numbers, NDArray[np.int64]]]
    held: tuple[Numbers, NDArray[np.int64]]


def digits(seed: int) -> Digits:
    from sklearn.datasets import load_digits

    found = load_digits()
    order = np.random.Generator(np.random.PCG64(seed)).permutation(len(found.target))
    x, y = found.data[order] / 16.0, found.target[order]
    parts = np.array_split(np.arange(360, len(y)), CLIENTS)
    return Digits([(x[part], y[part]) for part in parts], (x[:360], y[:360]))


def trained(model: Change, x: Numbers, y: NDArray[np.int64]) -> Change:
    """The change after `EPOCHS` full-batch steps."""
    weights, bias = model["weights"].copy(), model["bias"].copy()
    truth = np.eye(10)[y]
    for _ in range(EPOCHS):
        scores = x @ weights + bias
        chance = np.exp(scores - scores.max(axis=1, keepdims=True))
        slope = (chance / chance.sum(axis=1, keepdims=True) - truth) / len(y)
        weights -= RATE * (x.T @ slope)
        bias -= RATE * slope.sum(axis=0)
    return {"weights": weights - model["weights"], "bias": bias - model["bias"]}


class Summed:
    """No noise, and no clipping."""

    def release(self, changes: list[Change], _: np.random.Generator) -> Change:
        return {name: np.sum([one[name] for one in changes], axis=0) for name in changes[0]}


class Central(Summed):
    """Clipped, and noise of `noise` times the norm on the sum."""

    def __init__(self, noise: float) -> None:
        self.noise, self.norm = noise, CLIP

    def release(self, changes: list[Change], chance: np.random.Generator) -> Change:
        return self._noised(changes, self.noise * self.norm, chance)

    def _noised(self, changes: list[Change], deviation: float, chance: np.random.Generator) -> Change:
        step = grid_step(deviation, self.norm)
        steps = [to_grid(clip(one, self.norm, "flat"), step) for one in changes]
        total = {name: np.sum([one[name] for one in steps], axis=0) for name in steps[0]}
        return noised(total, deviation, step, chance.bytes)


class Adaptive(Central):
    """The same with a norm that follows the median, from a tenth of the fixed one."""

    def __init__(self, noise: float) -> None:
        super().__init__(noise)
        self.norm = CLIP / 10

    def release(self, changes: list[Change], chance: np.random.Generator) -> Change:
        quantile, clients = Quantile(), len(changes)
        deviation = quantile.split(self.noise, clients) * self.norm
        total = self._noised(changes, deviation, chance)
        within = sum(is_within(one, self.norm) for one in changes)
        count = within + chance.normal() * quantile.deviation(clients)
        self.norm = quantile.next_norm(self.norm, count, clients)
        return total


class Local(Central):
    """Each update with noise of its own, of `noise` times twice the norm."""

    def release(self, changes: list[Change], chance: np.random.Generator) -> Change:
        deviation = 2 * self.norm * self.noise
        own = [add_noise(clip(one, self.norm, "flat"), self.norm, deviation, chance.bytes) for one in changes]
        return {name: np.sum([one[name] for one in own], axis=0) for name in own[0]}


def run(method: Summed, data: Digits, seed: int) -> float:
    """The accuracy after all rounds on the rows held out."""
    chance = np.random.Generator(np.random.PCG64([seed, 1]))
    model: Change = {"weights": np.zeros((64, 10)), "bias": np.zeros(10)}
    for _ in range(ROUNDS):
        drawn = np.flatnonzero(chance.random(CLIENTS) < SHARE)
        total = method.release([trained(model, *data.clients[one]) for one in drawn], chance)
        model = {name: model[name] + total[name] / EXPECTED for name in model}
    x, y = data.held
    return float(((x @ model["weights"] + model["bias"]).argmax(axis=1) == y).mean())
