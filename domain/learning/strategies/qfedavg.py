"""q-FedAvg: changes weighted by the client's loss to the power q, so that the worst served count for more.

T. Li et al., "Fair resource allocation in federated learning", ICLR 2020 (arXiv:1905.10497), algorithm 2.
With L = 1 / `learning_rate` (that of the clients): w - sum(F^q L (w - w_k)) / sum(q F^(q-1) |L (w - w_k)|^2
+ L F^q).
"""

from collections.abc import Sequence

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
    norms = squared_norms(schema, updates).tolist()
    try:
        weights, total = _weights([loss + LEAST_LOSS for loss in updates.losses], norms, settings)
    except OverflowError:
        weights, total = [], float("inf")
    if not 0 < total < float("inf"):
        raise Refusal("strategy.q", f"{settings['q']:g} takes these losses beyond a double's range; lower it")
    return linear(weights, total)


def _weights(
    losses: Sequence[float], norms: Sequence[float], settings: Settings
) -> tuple[list[float], float]:
    """Of each change, and the sum of h; by Python's floats, since numpy's powers depend on the processor.

    Raises:
        OverflowError: a power passes a double.
    """
    q, lipschitz = settings["q"], 1 / settings["learning_rate"]
    weights = [lipschitz * loss**q for loss in losses]
    slopes = [q * loss ** (q - 1) * lipschitz**2 * norm for loss, norm in zip(losses, norms, strict=True)]
    return weights, sum(map(float.__add__, slopes, weights))


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
