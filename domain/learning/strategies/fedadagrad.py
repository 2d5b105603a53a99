"""FedAdagrad: the weighted mean change through Adagrad at the server: v only grows.

S. J. Reddi et al., "Adaptive federated optimization", ICLR 2021 (arXiv:2003.00295), algorithm 2.
"""

from domain.learning.strategies.blocks import Block
from domain.learning.strategies.composed import Composed
from domain.learning.strategies.optimisers import adaptive, adaptive_bounds
from domain.learning.strategies.settings import Settings


def _second(v: Block, squared: Block, _settings: Settings) -> Block:
    return v + squared


FEDADAGRAD = Composed("fedadagrad", optimiser=adaptive(_second), bounds=adaptive_bounds(0.1, 0.0))
