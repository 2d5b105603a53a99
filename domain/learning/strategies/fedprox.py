"""FedProx: clients add mu / 2 * |w - w_given|^2 to their loss, and partial work counts; the server averages.

T. Li et al., "Federated optimization in heterogeneous networks", MLSys 2020 (arXiv:1812.06127), algorithm 2.
There clients are drawn in proportion to their rows and averaged alike; here they are drawn alike and
weighted by their rows.
"""

from domain.learning.strategies.composed import Composed
from domain.learning.strategies.settings import RATE, Bounds

FEDPROX = Composed("fedprox", client="proximal", bounds={"rate": RATE, "mu": Bounds(0.1, 0, 1e6)})
