"""q-FedAvg: changes weighted by the client's loss to the power q, so that the worst served count for more.

T. Li et al., "Fair resource allocation in federated learning", ICLR 2020 (arXiv:1905.10497), algorithm 2.
With L = 1 / `learning_rate` (that of the clients): w - sum(F^q L (w - w_k)) / sum(q F^(q-1) |L (w - w_k)|^2
+ L F^q). A loss that has no such power, one below 0 say, is left out with its update: it is a client's word.
"""

import math
from itertools import compress

from domain.learning.strategies.composed import Combined, Composed, linear
from domain.learning.strategies.distances import squared_norms
from domain.learning.strategies.settings import Bounds, Settings
from domain.learning.strategy import Updates
from domain.learning.tensors import Schema
from domain.refusal import Refusal

LEAST_LOSS = 1e-10
"""Added to each loss: F^(q-1) is infinite at 0 where q is below 1."""
_MOST = 1e300
"""Of a client's part in a sum: ten million of them stay a double."""


def _rule(schema: Schema, updates: Updates, settings: Settings) -> Combined:
    norms = squared_norms(schema, updates).tolist()
    parts = [_part(loss, norm, settings) for loss, norm in zip(updates.losses, norms, strict=True)]
    total = math.fsum(over for _, over in filter(None, parts))
    if not total > 0:
        raise Refusal("strategy.q", f"{settings['q']:g} takes every loss beyond a double's range; lower it")
    outside = compress(updates.clients, [part is None for part in parts])
    return linear([part[0] if part else 0.0 for part in parts], total, tuple(outside))


def _part(loss: float, norm: float, settings: Settings) -> tuple[float, float] | None:
    """The weight of a client's change, and its h; by Python's floats: numpy's powers hang on processors."""
    q, lipschitz = settings["q"], 1 / settings["learning_rate"]
    if not loss >= 0:
        return None
    loss += LEAST_LOSS
    try:
        weight = lipschitz * loss**q
        over = q * loss ** (q - 1) * lipschitz**2 * norm + weight
    except OverflowError:
        return None
    return (weight, over) if over <= _MOST else None


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
