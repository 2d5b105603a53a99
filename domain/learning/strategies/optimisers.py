"""What the server does with the combined change: move by it, with momentum, or with a step of its own each.

Adaptive ones: S. J. Reddi et al., "Adaptive federated optimization", ICLR 2021 (arXiv:2003.00295), algorithm
2, in which the combined change is what a gradient is to an optimiser, but for its sign.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from domain.learning.strategies.blocks import Block
from domain.learning.strategies.settings import RATE, Bounds, Settings

Parts = tuple[Block, ...]
Second = Callable[[Block, Block, Settings], Block]
"""v, squared change, settings -> next v."""


@dataclass(frozen=True, slots=True)
class Optimiser:
    """`parts`: what is kept of each number, and its first value. `step`: change, parts to move, next parts.

    All in float64, numbers of one block.
    """

    step: Callable[[Block, Parts, Settings], tuple[Block, Parts]]
    parts: Mapping[str, Callable[[Settings], float]] = field(default_factory=dict)


PLAIN = Optimiser(lambda change, _parts, settings: (settings["rate"] * change, ()))
"""x + rate * change."""


def _momentum(change: Block, parts: Parts, settings: Settings) -> tuple[Block, Parts]:
    momentum = settings["momentum"] * parts[0] + change
    return settings["rate"] * momentum, (momentum,)


MOMENTUM = Optimiser(_momentum, {"m": lambda _settings: 0.0})
"""m = momentum * m + change; x + rate * m."""


def adaptive(second: Second) -> Optimiser:
    """By m = beta1 m + (1 - beta1) change; v by `second`, from tau^2 on; x + rate * m / (sqrt(v) + tau)."""

    def step(change: Block, parts: Parts, settings: Settings) -> tuple[Block, Parts]:
        m = settings["beta1"] * parts[0] + (1 - settings["beta1"]) * change
        v = second(parts[1], change * change, settings)
        return settings["rate"] * m / (np.sqrt(v) + settings["tau"]), (m, v)

    return Optimiser(step, {"m": lambda _settings: 0.0, "v": lambda settings: settings["tau"] ** 2})


def adaptive_bounds(rate: float, beta1: float) -> dict[str, Bounds]:
    """Settings that the adaptive optimisers share."""
    return {
        "rate": Bounds(rate, RATE.low, RATE.high, above=True),
        "beta1": Bounds(beta1, 0, 1, below=True),
        "tau": Bounds(1e-3, 0, 1e3, above=True),
    }


BETA2 = Bounds(0.99, 0, 1, below=True)
