"""Named arrays: what a model is made of, and what a model's tensors are called on the record."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from domain.refusal import Refusal
from domain.strict_json import printable

Array = NDArray[Any]
Tensors = Mapping[str, Array]
"""By name; every function here goes through them in the order of their names."""

Section = Literal[
    "personality_evolutions", "context_patterns", "reasoning_improvements", "user_interaction_patterns"
]
SECTIONS: tuple[Section, ...] = (
    "personality_evolutions",
    "context_patterns",
    "reasoning_improvements",
    "user_interaction_patterns",
)
Group = Literal["personality", "context", "reasoning"]
GROUPS: tuple[Group, ...] = ("personality", "context", "reasoning")
GROUP_OF: dict[Section, Group] = {
    "personality_evolutions": "personality",
    "context_patterns": "context",
    "reasoning_improvements": "reasoning",
    "user_interaction_patterns": "context",
}
"""Which privacy group, with an epsilon of its own, a section belongs to."""
Dtype = Literal["float32", "float64"]


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One tensor of a model: its name, the section of an update that carries its change, shape and dtype."""

    name: str
    section: Section
    shape: tuple[int, ...]
    dtype: Dtype = "float32"

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


Schema = tuple[TensorSpec, ...]
"""Sorted by name, no name twice."""


def check_tensors(schema: Sequence[TensorSpec], tensors: Tensors, what: str = "model") -> None:
    """Refuse tensors that are not just those of the schema, all finite.

    Raises:
        Refusal: one is missing, unknown, of another shape or dtype, or holds NaN or an infinity.
    """
    known = {spec.name: spec for spec in schema}
    for name in sorted(known.keys() | tensors.keys()):
        if name not in known:
            raise Refusal(what, f"has an unknown tensor '{printable(name, 60)}'")
        if name not in tensors:
            raise Refusal(what, f"has no tensor '{name}'")
        spec, found = known[name], tensors[name]
        if found.shape != spec.shape or found.dtype != np.dtype(spec.dtype):
            raise Refusal(
                what,
                f"tensor '{name}' is {found.dtype}{list(found.shape)}, not {spec.dtype}{list(spec.shape)}",
            )
        if not np.isfinite(found).all():
            raise Refusal(what, f"tensor '{name}' holds NaN or an infinity")


def digest(tensors: Tensors) -> str:
    """SHA-256 (hex) over names, dtypes, shapes and little-endian bytes, in the order of the names."""
    summed = hashlib.sha256()
    for name in sorted(tensors):
        array = tensors[name]
        head = f"{name}\0{array.dtype.name}\0{','.join(map(str, array.shape))}\0"
        summed.update(len(head).to_bytes(8, "big") + head.encode())
        summed.update(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).data)
    return summed.hexdigest()
