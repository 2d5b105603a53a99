"""SCAFFOLD: clients correct each gradient by c - c_i, and the server learns c from how the c_i change.

S. P. Karimireddy et al., "SCAFFOLD: stochastic controlled averaging for federated learning", ICML 2020
(arXiv:1910.06378), algorithm 1: x + rate * mean(change), c + |S| / N * mean(change of c_i), every client
counted alike. c is the state, as `control.<tensor>`; a client keeps its own c_i between rounds.
"""

from collections.abc import Mapping

import numpy as np

from domain.learning.strategies.blocks import Block
from domain.learning.strategies.composed import Composed, move, plain_mean
from domain.learning.strategies.optimisers import PLAIN
from domain.learning.strategies.settings import RATE, Bounds, Settings, settled
from domain.learning.strategy import Aggregated, ClientKind, Updates
from domain.learning.tensors import Array, Schema, Tensors
from domain.learning.wire import CONTROL, control_schema
from domain.refusal import Refusal


def correction(schema: Schema, state: Tensors, own: Tensors) -> dict[str, Array]:
    """What a client adds to each gradient: c - c_i, under the plain names; what is not there yet is 0.

    Args:
        schema: of the model.
        state: the server's, with c as `control.<tensor>`.
        own: the client's c_i under the plain names.
    """
    zeros = {spec.name: np.zeros(spec.shape, spec.dtype) for spec in schema}
    return {name: state.get(CONTROL + name, zero) - own.get(name, zero) for name, zero in zeros.items()}


def control_change(state: Tensors, change: Tensors, steps: int, learning_rate: float) -> dict[str, Array]:
    """What a client's c_i changes by (option II): c_i+ - c_i = -c - (y_i - x) / (K * rate), by plain names.

    Args:
        state: the server's, with c as `control.<tensor>`; what is not there yet is 0.
        change: y_i - x, under the plain names.
        steps: K, how many local steps were made.
        learning_rate: of the local steps.
    """
    per_step = 1 / (steps * learning_rate)
    return {
        name: -state.get(CONTROL + name, np.zeros_like(moved)) - moved * per_step
        for name, moved in sorted(change.items())
    }


class Scaffold:
    """The server's half."""

    name = "scaffold"
    individual = True
    client: ClientKind = "control"

    def __init__(self) -> None:
        self._plain = Composed(
            self.name,
            plain_mean,
            individual=True,
            bounds={"rate": RATE, "population": Bounds(0, 0, 1e9, whole=True)},
            fits=_fits,
        )

    @property
    def defaults(self) -> Mapping[str, float]:
        """`population`: N, of how many clients the cohort was drawn; 0: everyone reports in every round."""
        return self._plain.defaults

    def check(self, settings: Settings, clients: int) -> None:
        """Refuse settings that cannot be.

        Raises:
            Refusal: the population is less than those who report.
        """
        self._plain.check(settings, clients)

    def aggregate(
        self, schema: Schema, model: Tensors, updates: Updates, state: Tensors, settings: Settings
    ) -> Aggregated:
        """The next model, and c as its state."""
        moved = self._plain.aggregate(schema, model, updates, {}, settings)
        clients = len(updates.clients)
        population = settled(self.name, self._plain.bounds, settings)["population"] or clients
        controls = control_schema(schema)
        before = {spec.name: state.get(spec.name, np.zeros(spec.shape, spec.dtype)) for spec in controls}
        mean = plain_mean(controls, updates, settings)

        def change(tensor: str, start: int, stop: int) -> Block:
            return mean.change(updates.block(tensor, start, stop))

        after, _ = move(
            controls,
            before,
            change,
            {},
            optimiser=PLAIN,
            settings={"rate": clients / population},
            clients=clients,
        )
        return Aggregated(moved.model, after)

    def step(
        self, schema: Schema, model: Tensors, mean: Tensors, state: Tensors, settings: Settings
    ) -> Aggregated:
        """A mean weighted by samples is not the one that control variates need.

        Raises:
            Refusal: always.
        """
        return self._plain.step(schema, model, mean, state, settings)


def _fits(settings: Settings, clients: int) -> None:
    if 0 < settings["population"] < clients:
        raise Refusal(
            "strategy.population",
            f"{settings['population']:g} is less than the {clients} that report; it counts every client",
        )


SCAFFOLD = Scaffold()
