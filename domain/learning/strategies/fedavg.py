"""FedAvg: the mean of the changes, weighted by samples.

H. B. McMahan et al., "Communication-efficient learning of deep networks from decentralized data", AISTATS
2017 (arXiv:1602.05629), algorithm 1.
"""

from domain.learning.strategies.composed import Composed

FEDAVG = Composed("fedavg")
