"""q-FedAvg: changes weighted by the client's loss to the power q, so that the worst served count for more.

T. Li et al., "Fair resource allocation in federated learning", ICLR 2020 (arXiv:1905.10497), algorithm 2.
With L = 1 / `learning_rate` (that of the clients): w - sum(F^q L (w - w_k)) / sum(q F^(q-1) |L (w - w_k)|^2
+ L F^q).
"""

import numpy as np

from domain.learning.strategies.composed import Combined, Composed, linear
from domain.learning.strategies.distances import squared_norms
from domain.learning.strategies.settings import Bounds, Settings
from domain.learning.strategy import Updates
from domain.learning.tensors import Schema
from domain.refusal import Refusal

LEAST_LOSS = 1e-10
"""Added to each loss: F^(q-1) is infinite at 0 where q is below 1."""


def _rule(schema: Schema, updates: Updates, settings: Settings) -> Combined:
    if not all(0 <= loss < float("inf") for loss in updates.losses):
        raise Refusal("loss", "q_fedavg takes losses to a power: each must be finite and at least 0")
    q, lipschitz = settings["q"], 1 / settings["learning_rate"]
    losses = np.array(updates.losses, np.float64) + LEAST_LOSS
    with np.errstate(over="ignore", invalid="ignore"):
        weights = lipschitz * losses**q
        norms = lipschitz**2 * squared_norms(schema, updates)
        total = sum((q * losses ** (q - 1) * norms + weights).tolist())
    if not 0 < total < float("inf"):
        raise Refusal("strategy.q", f"{q:g} takes these losses beyond a double's range; lower it")
    return linear(weights.tolist(), total)


Q_FEDAVG = Composed(
    "q_fedavg",
    _rule,
    individual=True,
    bounds={
        "rate": Bounds(1.0, 0, 1e6, above=True),
        "q": Bounds(1.0, 0, 100),
        "learning_rate": Bounds(0.1, 0, 1e6, above=True),
    },
)
