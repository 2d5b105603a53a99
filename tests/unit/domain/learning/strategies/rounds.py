"""Small rounds for tests of strategies: a model of two tensors, and updates drawn from a seed."""

from collections.abc import Sequence

import numpy as np

from domain.learning.strategies.in_memory import InMemory, Sent
from domain.learning.strategies.registry import named
from domain.learning.strategy import Aggregated
from domain.learning.tensors import Schema, Tensors, TensorSpec

SCHEMA: Schema = (
    TensorSpec("bias", "context_patterns", (3,), "float64"),
    TensorSpec("weights", "personality_evolutions", (3, 4), "float64"),
)


def vector(size: int) -> Schema:
    """The schema of one tensor `x`."""
    return (TensorSpec("x", "personality_evolutions", (size,), "float64"),)


def drawn(seed: int, schema: Schema = SCHEMA) -> dict[str, np.ndarray]:
    """One set of tensors."""
    generator = np.random.default_rng(seed)
    return {spec.name: generator.normal(size=spec.shape).astype(spec.dtype) for spec in schema}


def sent(count: int, schema: Schema = SCHEMA) -> list[Sent]:
    """So many updates, of unequal samples, losses, steps and groups."""
    return [
        Sent(f"c{i:03}", drawn(100 + i, schema), 5 + 3 * i, loss=0.5 + i / 7, steps=1 + i, group=i % 2)
        for i in range(count)
    ]


def updates(
    rows: Sequence[Sequence[float]], samples: Sequence[int] = (), losses: Sequence[float] = ()
) -> InMemory:
    """Updates of the one tensor `x`, a row each, in the order of their clients."""
    each = zip(rows, samples or [1] * len(rows), losses or [1.0] * len(rows), strict=True)
    return InMemory(Sent(f"c{i:03}", {"x": np.array(x, float)}, n, f) for i, (x, n, f) in enumerate(each))


def result(
    name: str, rows: Sequence[Sequence[float]], samples: Sequence[int] = (), **settings: float
) -> Aggregated:
    """What the strategy makes of such updates, from a model of zeros."""
    size = len(rows[0])
    return named(name).aggregate(vector(size), {"x": np.zeros(size)}, updates(rows, samples), {}, settings)


def same(first: Tensors, second: Tensors) -> bool:
    """Bit for bit."""
    return first.keys() == second.keys() and all(first[k].tobytes() == second[k].tobytes() for k in first)
