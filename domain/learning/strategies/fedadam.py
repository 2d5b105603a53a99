"""FedAdam: the weighted mean change through Adam at the server, without bias correction.

S. J. Reddi et al., "Adaptive federated optimization", ICLR 2021 (arXiv:2003.00295), algorithm 2.
"""

from domain.learning.strategies.blocks import Block
from domain.learning.strategies.composed import Composed
from domain.learning.strategies.optimisers import BETA2, adaptive, adaptive_bounds
from domain.learning.strategies.settings import Settings


def _second(v: Block, squared: Block, settings: Settings) -> Block:
    return settings["beta2"] * v + (1 - settings["beta2"]) * squared


FEDADAM = Composed(
    "fedadam", optimiser=adaptive(_second), bounds={**adaptive_bounds(0.1, 0.9), "beta2": BETA2}
)
