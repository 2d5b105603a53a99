"""FedAvgM: the weighted mean change, with momentum at the server.

T.-M. H. Hsu, H. Qi and M. Brown, "Measuring the effects of non-identical data distribution for federated
visual classification", 2019 (arXiv:1909.06335), section 4.3.
"""

from domain.learning.strategies.composed import Composed
from domain.learning.strategies.optimisers import MOMENTUM
from domain.learning.strategies.settings import RATE, Bounds

FEDAVGM = Composed(
    "fedavgm", optimiser=MOMENTUM, bounds={"rate": RATE, "momentum": Bounds(0.9, 0, 1, below=True)}
)
