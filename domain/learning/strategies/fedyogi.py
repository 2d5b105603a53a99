"""FedYogi: the weighted mean change through Yogi at the server: v moves by a bounded part towards the square.

S. J. Reddi et al., "Adaptive federated optimization", ICLR 2021 (arXiv:2003.00295), algorithm 2.
"""

import numpy as np

from domain.learning.strategies.blocks import Block
from domain.learning.strategies.composed import Composed
from domain.learning.strategies.optimisers import BETA2, adaptive, adaptive_bounds
from domain.learning.strategies.settings import Settings


def _second(v: Block, squared: Block, settings: Settings) -> Block:
    return v - (1 - settings["beta2"]) * squared * np.sign(v - squared)


FEDYOGI = Composed(
    "fedyogi", optimiser=adaptive(_second), bounds={**adaptive_bounds(0.01, 0.9), "beta2": BETA2}
)
