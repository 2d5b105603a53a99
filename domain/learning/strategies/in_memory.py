"""Updates that are in memory already: of clients in this process."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from domain.learning.strategies.blocks import Block
from domain.learning.tensors import Array, Tensors
from domain.refusal import Refusal
from domain.strict_json import printable


@dataclass(frozen=True, slots=True)
class Sent:
    """One client's update: new - old, or what else the strategy's `client` says."""

    client: str
    change: Tensors
    samples: int
    loss: float = 0.0
    steps: int = 1
    group: int = 0


class InMemory:
    """`Updates` of what was sent, in the order of the clients' ids however it came in."""

    def __init__(self, sent: Iterable[Sent]) -> None:
        """Keep references.

        Raises:
            Refusal: a client is there twice.
        """
        ordered = sorted(sent, key=attrgetter("client"))
        self.clients: Sequence[str] = [one.client for one in ordered]
        for first, second in zip(self.clients, self.clients[1:], strict=False):
            if first == second:
                raise Refusal("client", f"'{printable(first)}' reports twice")
        self.samples: Sequence[int] = [one.samples for one in ordered]
        self.steps: Sequence[int] = [one.steps for one in ordered]
        self.losses: Sequence[float] = [one.loss for one in ordered]
        self.groups: Sequence[int] = [one.group for one in ordered]
        self._changes = [one.change for one in ordered]
        self._flat: dict[str, list[Array]] = {}

    def block(self, tensor: str, start: int, stop: int) -> Block:
        """Numbers `start` up to `stop` of the flattened `tensor`: clients x numbers."""
        if tensor not in self._flat:
            self._flat[tensor] = [change[tensor].reshape(-1) for change in self._changes]
        block = np.empty((len(self._changes), stop - start))
        for row, flat in zip(block, self._flat[tensor], strict=True):
            row[:] = flat[start:stop]
        return block
