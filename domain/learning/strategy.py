"""How updates become a model: what every aggregation strategy is given and gives.

What a client's update holds, by the strategy's `client`:

- `epochs`, `proximal`: new - old of every tensor, after training at the policy's local learning rate;
- `gradient`: minus the mean gradient over the client's rows at the model it was given, weighted by samples at
  the aggregator, which alone applies a learning rate (the strategy's `rate`): full participation is then SGD
  over all rows, bit for bit. It is the gradient itself: as the difference of two models, after one step over
  all rows at learning rate 1, it would be rounded to what the model's dtype holds beside the model;
- `control`: new - old, and as `control.<tensor>` the change of the client's control variate;
- `clustered`: the model is several, named `<group>.<tensor>`; new - old of the one whose loss on the client's
  rows was least, under the plain names; which one it was, the report says (`group`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from domain.learning.tensors import Schema, Tensors

ClientKind = Literal["epochs", "gradient", "proximal", "control", "clustered"]
"""What clients do: train epochs, send one gradient, train with a proximal term (setting `mu`), with control
variates, train the best of several models."""


class Updates(Protocol):
    """The updates of a round, read block by block, so that a few blocks are in memory and not every model.

    All sequences are in the order of the clients' ids, however the updates came in.
    """

    @property
    def clients(self) -> Sequence[str]: ...
    @property
    def samples(self) -> Sequence[int]: ...
    @property
    def steps(self) -> Sequence[int]: ...
    @property
    def losses(self) -> Sequence[float]: ...
    @property
    def groups(self) -> Sequence[int]: ...

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

    @property
    def name(self) -> str: ...
    @property
    def individual(self) -> bool: ...
    @property
    def client(self) -> ClientKind: ...
    @property
    def defaults(self) -> Mapping[str, float]: ...

    def check(self, settings: Mapping[str, float], clients: int) -> None:
        """Refuse settings that cannot be, also for that many clients.

        Raises:
            Refusal: the setting and what would be right (Krum needs n >= 2f + 3, ...).
        """
        ...

    def aggregate(
        self, schema: Schema, model: Tensors, updates: Updates, state: Tensors, settings: Mapping[str, float]
    ) -> Aggregated:
        """The next model from each update; `schema` is of one model, as its trainer has it.

        Raises:
            Refusal: there are too few updates for the settings, or the next model would not be finite.
        """
        ...

    def step(
        self, schema: Schema, model: Tensors, mean: Tensors, state: Tensors, settings: Mapping[str, float]
    ) -> Aggregated:
        """The next model from the clients' weighted mean change alone.

        Raises:
            Refusal: the strategy is `individual`.
        """
        ...
