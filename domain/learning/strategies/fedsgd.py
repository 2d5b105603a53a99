"""FedSGD: one step of the server along the mean gradient, weighted by samples.

H. B. McMahan et al., "Communication-efficient learning of deep networks from decentralized data", AISTATS
2017 (arXiv:1602.05629), section 2. Clients send minus their mean gradient, and `rate` is the only learning
rate: with everyone taking part, a round is a step of SGD over all rows, with a micro-batch for each client.
"""

from domain.learning.strategies.composed import Composed
from domain.learning.strategies.settings import RATE, Bounds

FEDSGD = Composed("fedsgd", client="gradient", bounds={"rate": Bounds(0.1, RATE.low, RATE.high, above=True)})
