"""Clustered: several models, each learned by the clients whom it suits best (IFCA).

A. Ghosh et al., "An efficient framework for clustered federated learning", NeurIPS 2020 (arXiv:2006.04088),
algorithm 1 with model averaging. A client takes the model with the least loss on its rows and trains it; the
server averages by group. Chosen for that: no threshold to guess, one exchange a round, and a client that is
new, or whose data change, finds its group by itself. Weighted by samples, as FedAvg; the paper's clients
have as many rows each.
"""

# ruff: noqa: ARG002 # the protocol has arguments that this strategy does not need

from collections.abc import Mapping, Sequence

import numpy as np

from domain.learning.strategies.blocks import Block, weighted_sum
from domain.learning.strategies.composed import move
from domain.learning.strategies.optimisers import PLAIN
from domain.learning.strategies.settings import RATE, Bounds, Settings, settled
from domain.learning.strategy import Aggregated, ClientKind, Updates
from domain.learning.tensors import Array, Schema, Tensors
from domain.learning.wire import group_model
from domain.refusal import Refusal

BOUNDS = {"rate": RATE, "models": Bounds(2, 1, 100, whole=True)}


def together(models: Sequence[Tensors]) -> dict[str, Array]:
    """Several models as one set of tensors; begin with models from different seeds, or they stay the same."""
    return {f"{group}.{name}": model[name] for group, model in enumerate(models) for name in sorted(model)}


def best(losses: Sequence[float]) -> int:
    """The group of a client whose rows have these losses by model; the first of equals."""
    return min(range(len(losses)), key=losses.__getitem__)


class Clustered:
    """The server's half."""

    name = "clustered"
    individual = True
    client: ClientKind = "clustered"

    @property
    def defaults(self) -> Mapping[str, float]:
        """`models`: how many."""
        return {name: bound.default for name, bound in BOUNDS.items()}

    def check(self, settings: Settings, clients: int) -> None:
        """Refuse settings that cannot be.

        Raises:
            Refusal: there are more models than clients to learn them.
        """
        models = int(settled(self.name, BOUNDS, settings)["models"])
        if models > clients:
            raise Refusal(
                "strategy.models", f"{models} models and {clients} clients: one model learns nothing"
            )

    def aggregate(
        self,
        schema: Schema,
        model: Tensors,
        updates: Updates,
        state: Tensors,
        settings: Settings,
    ) -> Aggregated:
        """Each model moved by the mean of its group's changes; without any it stays. `schema`: of one model.

        A client says itself which group it is of: where there is no such group, its update enters none.

        Raises:
            Refusal: there is no update.
        """
        full = settled(self.name, BOUNDS, settings)
        models = int(full["models"])
        if not updates.clients:
            raise Refusal("strategy", f"{self.name} has no update to aggregate")
        of = zip(updates.clients, updates.groups, strict=True)
        excluded = tuple(client for client, group in of if not 0 <= group < models)
        moved: list[Tensors] = []
        for group in range(models):
            held = group_model(schema, model, str(group))
            weights = _weights(updates, group)
            moved.append(_averaged(schema, held, updates, weights, full) if any(weights) else held)
        return Aggregated(together(moved), {}, excluded)

    def step(
        self,
        schema: Schema,
        model: Tensors,
        mean: Tensors,
        state: Tensors,
        settings: Settings,
    ) -> Aggregated:
        """A mean over all groups is of no use.

        Raises:
            Refusal: always.
        """
        raise Refusal("strategy", f"{self.name} needs each update with its group, a mean of all does not do")


def _weights(updates: Updates, group: int) -> list[float]:
    pairs = zip(updates.samples, updates.groups, strict=True)
    return [float(samples) if of == group else 0.0 for samples, of in pairs]


def _averaged(
    schema: Schema, model: Tensors, updates: Updates, weights: Sequence[float], settings: Settings
) -> Tensors:
    total = np.float64(sum(weights))

    def change(tensor: str, start: int, stop: int) -> Block:
        return weighted_sum(updates.block(tensor, start, stop), weights) / total

    return move(schema, model, change, {}, optimiser=PLAIN, settings=settings, clients=len(updates.clients))[
        0
    ]


CLUSTERED = Clustered()
