"""What trains on a node: a small typed protocol over named arrays, which plugins implement."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from domain.learning.policy import Setting
from domain.learning.tensors import Schema, Tensors

Rows = Tensors
"""Named arrays of one length, a row each: `x` (float, rows x features) and `y` (whole numbers) for those
built in."""
Ability = Literal["gradient", "proximal", "control", "partial"]
"""Beyond plain local training: one full gradient (FedSGD), a proximal term (FedProx), control variates
(SCAFFOLD), to be stopped between two steps and keep what was reached."""


class Tell(Protocol):
    """How training says how far it is, after each step."""

    def __call__(self, done: int, planned: int) -> bool:
        """True to go on; False asks to stop here: time is up.

        Raises:
            BaseException: training was cancelled; nothing is kept.
        """
        ...


@dataclass(frozen=True, slots=True)
class LocalPlan:
    """How to train in one round.

    `seed`: of everything drawn, such as the order of rows. `proximal`: mu of FedProx, 0 for none. `control`:
    added to each gradient (SCAFFOLD's c - c_i). `epochs` over the rows, `batch` rows a step (0: all).
    """

    epochs: int
    batch: int
    learning_rate: float
    seed: int
    proximal: float = 0.0
    control: Tensors | None = None


@dataclass(frozen=True, slots=True)
class Fitted:
    """The tensors reached; `loss` is the mean over `samples` rows of the model as it was given."""

    model: Tensors
    samples: int
    steps: int
    planned: int
    loss: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Means over `samples` rows; `accuracy` is null where it means nothing."""

    loss: float
    accuracy: float | None
    samples: int


class Trainer(Protocol):
    """A kind of model and how it learns; the same input gives the same output, bit for bit."""

    name: str
    abilities: frozenset[Ability]

    def schema(self, settings: Mapping[str, Setting]) -> Schema:
        """The tensors of its model.

        Raises:
            Refusal: a setting is missing, unknown or out of range.
        """
        ...

    def initial(self, settings: Mapping[str, Setting], seed: int) -> Tensors:
        """A model that has learned nothing."""
        ...

    def fit(
        self, model: Tensors, rows: Rows, settings: Mapping[str, Setting], plan: LocalPlan, tell: Tell
    ) -> Fitted:
        """Train from `model` on `rows`.

        Raises:
            Refusal: the rows are not what this trainer reads.
        """
        ...

    def evaluate(self, model: Tensors, rows: Rows, settings: Mapping[str, Setting]) -> Evaluation:
        """How good `model` is on `rows`."""
        ...
