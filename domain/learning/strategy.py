"""How updates become a model: what every aggregation strategy is given and gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from domain.learning.tensors import Schema, Tensors

ClientKind = Literal["epochs", "gradient", "proximal", "control"]
"""What clients do: train epochs, send one gradient, train with a proximal term, with control variates."""


class Updates(Protocol):
    """The updates of a round, read block by block, so that a few blocks are in memory and not every model.

    All sequences are in the order of the clients' ids, however the updates came in.
    """

    clients: Sequence[str]
    samples: Sequence[int]
    steps: Sequence[int]
    losses: Sequence[float]
    groups: Sequence[int]

    def block(self, tensor: str, start: int, stop: int) -> NDArray[np.float64]:
        """Numbers `start` up to `stop` of the flattened `tensor`: clients x numbers."""
        ...


@dataclass(frozen=True, slots=True)
class Aggregated:
    """The next model and the strategy's own state for the round after; `excluded` clients had no part."""

    model: Tensors
    state: Tensors
    excluded: tuple[str, ...] = ()


class Strategy(Protocol):
    """One way to aggregate; pure, and the same bits for the same input.

    `individual`: it must see each update, which secure sums hide. `defaults`: its settings.
    """

    name: str
    individual: bool
    client: ClientKind
    defaults: Mapping[str, float]

    def check(self, settings: Mapping[str, float], clients: int) -> None:
        """Refuse settings that cannot be, also for that many clients.

        Raises:
            Refusal: the setting and what would be right (Krum needs n >= 2f + 3, ...).
        """
        ...

    def aggregate(
        self, schema: Schema, model: Tensors, updates: Updates, state: Tensors, settings: Mapping[str, float]
    ) -> Aggregated:
        """The next model from each update."""
        ...

    def step(
        self, schema: Schema, model: Tensors, mean: Tensors, state: Tensors, settings: Mapping[str, float]
    ) -> Aggregated:
        """The next model from the clients' weighted mean change alone.

        Raises:
            Refusal: the strategy is `individual`.
        """
        ...
