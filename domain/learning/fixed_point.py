"""Updates as whole numbers modulo 2^32, so that sums of them under masks are exact."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.learning.tensors import Schema, Tensors
from domain.refusal import Refusal

Words = NDArray[np.uint32]
Numbers = NDArray[np.float64]
HALF = 2**31 - 1
"""The largest sum that can be told from a negative one."""
TAIL = 12.0
"""Standard deviations of noise that find room: a number beyond has a chance below 1e-32."""
COARSEST = 256
"""Steps between 0 and `clip` that must be left."""


@dataclass(frozen=True, slots=True)
class FixedPoint:
    """How values are counted in steps of `step`, for sums of at most `clients` of them.

    `clip`: no value is beyond it, up or down. `cap`: no weight is beyond it; a value travels multiplied by
    its weight over the cap. `noise`: standard deviation of the noise in the whole sum, in units of `clip`.
    """

    clip: float
    cap: int
    clients: int
    noise: float = 0.0

    def __post_init__(self) -> None:
        if not 1 <= self.cap <= HALF // self.clients:
            raise Refusal(
                "weight_cap",
                f"{self.cap} is outside 1 to {HALF // self.clients}, what {self.clients} clients can add up",
            )
        if self.steps < COARSEST:
            raise Refusal(
                "noise_multiplier",
                f"noise of {self.noise:g} times the clip leaves {self.steps} steps below it, and "
                f"{COARSEST} are needed; lower it, or let fewer clients make a sum",
            )

    @property
    def steps(self) -> int:
        """How many steps `clip` is: so many that the sum of all clients and the noise cannot wrap."""
        return math.floor(HALF / (self.clients + TAIL * self.noise))

    @property
    def step(self) -> float:
        """One step of a sum of weight * value.

        The sum of m updates is off by at most m half steps, and with noise by less than m steps.
        """
        return self.clip * self.cap / self.steps

    def encode(self, values: Numbers, weight: int) -> Words:
        """The values, rounded, and then the weight: one number more than given.

        With noise they are cut toward zero: no norm grows, and what the noise hides is as small as stated.

        Raises:
            Refusal: a value is beyond the clip, or the weight outside 1 to the cap.
        """
        if not 1 <= weight <= self.cap:
            raise Refusal("weight", f"{weight} is outside 1 to {self.cap}")
        if not _largest(values) <= self.clip:
            raise Refusal("update", f"holds a value beyond {self.clip:g}, the clip")
        words = np.empty(values.size + 1, np.uint32)
        scaled = values / self.clip
        scaled *= self.steps * (weight / self.cap)
        if not self.noise:
            np.rint(scaled, out=scaled)
        words.view(np.int32)[:-1] = scaled  # a cast cuts toward zero
        words[-1] = weight
        return words

    def can_be(self, total: Numbers, weight: int, clients: int) -> bool:
        """Whether so many clients within clip and cap can add up to what `decode` gave of their sum."""
        if not clients <= weight <= clients * self.cap:
            return False
        rounded = clients * self.step  # at most half a step each, and with noise less than one
        most = self.clip * (weight + self.cap * TAIL * self.noise) + rounded
        return bool(np.abs(total).max(initial=0.0) <= most)

    def decode(self, words: Words) -> tuple[Numbers, int]:
        """The sum of weight * value, and of the weights."""
        return words[:-1].view(np.int32).astype(np.float64) * self.step, int(words[-1])


def flatten(schema: Schema, tensors: Tensors) -> Numbers:
    """All numbers of the tensors in the order of the schema."""
    values = np.empty(sum(spec.size for spec in schema))
    start = 0
    for spec in schema:
        values[start : start + spec.size] = tensors[spec.name].reshape(-1)
        start += spec.size
    return values


def unflatten(schema: Schema, values: Numbers) -> dict[str, Numbers]:
    """The tensors again, in float64."""
    ends = np.cumsum([spec.size for spec in schema])[:-1]
    parts = np.split(values, ends) if schema else []
    return {spec.name: part.reshape(spec.shape) for spec, part in zip(schema, parts, strict=True)}


def within_range(values: Numbers, clip: float) -> Numbers:
    """The values, all scaled down alike where the largest is beyond `clip`: the direction stays."""
    largest = _largest(values)
    return values if largest <= clip else values * (clip / largest * _BELOW)


def _largest(values: Numbers) -> float:
    """The largest, up or down, and NaN where one is; no copy is made of them."""
    return max(float(values.max()), -float(values.min())) if values.size else 0.0


_BELOW = 1 - 2.0**-40
"""Rounding must not carry a value beyond the clip."""
