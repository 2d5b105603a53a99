"""The rules of versions: who tries a canary, when one has fallen, what a drift leads to."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from domain.learning.commands import RunCycle
from domain.learning.policy import DataSelector, TrainerSpec, within
from domain.learning.trainer import Evaluation
from domain.refusal import Refusal
from domain.stream import check_id

WORST = 1e300
"""Stands for a loss that is NaN, infinite or above it: a model that has burst is the worst, not unknown."""
MAX_HOSTS = 500
MAX_VERSIONS = 1_000
"""Of one model; what its workflow carries from run to run stays below Temporal's limit on a payload."""
WINDOW = 2_000
"""So many of the newest observed losses are kept to tell a drift by."""

Then = Literal["say", "roll_back", "cycle"]


@dataclass(frozen=True, slots=True)
class EvaluateOn:
    """How nodes evaluate a version: by which trainer, on which of their rows."""

    trainer: TrainerSpec
    data: DataSelector


@dataclass(frozen=True, slots=True)
class HostEvaluation:
    """What a host found of both versions, on the same rows of its own."""

    host: str
    canary: Evaluation
    former: Evaluation

    def __post_init__(self) -> None:
        check_id(self.host, "host")
        for name, found in (("canary", self.canary), ("former", self.former)):
            within(f"{name}.loss", found.loss, -WORST, WORST)
            within(f"{name}.samples", found.samples, 1, 1e15)


@dataclass(frozen=True, slots=True)
class DriftPolicy:
    """What follows when the observed loss rises.

    `delta`: ADWIN's confidence, a false alarm is about that likely at each look (Bifet and Gavaldà, 2007).
    `then`: only say so, go back to the version before, or train. `cycle`: what is then started; without it
    the model's schedule is triggered.
    """

    then: Then = "say"
    delta: float = 0.002
    cycle: RunCycle | None = None

    def __post_init__(self) -> None:
        within("delta", self.delta, 0, 1, above=True)
        if self.cycle is not None and self.then != "cycle":
            raise Refusal("cycle", f"is given, but then is {self.then}; say then = cycle, or leave it out")


def drawn(model: str, version: str, seed: int, node: str) -> float:
    """Where a node stands in the draw of a canary: uniform in [0, 1), the same on every machine."""
    told = "\0".join((model, version, str(seed), node)).encode()
    return int.from_bytes(hashlib.sha256(told).digest()[:6], "big") / 2**48


def weighted_loss(found: Sequence[Evaluation]) -> float:
    """The mean loss over all rows; shares are taken first, so that the worst losses cannot overflow."""
    rows = sum(one.samples for one in found)
    return sum(one.loss * (one.samples / rows) for one in found)


def has_fallen(canary: float, former: float, tolerance: float) -> bool:
    """Whether the canary's loss is above the former version's by more than `tolerance`, a share of it."""
    return canary - former > tolerance * abs(former)
