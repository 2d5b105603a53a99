"""FedSGD with everyone taking part is SGD in one process, bit for bit."""

import numpy as np
import pytest

from domain.learning.strategies.in_memory import InMemory, Sent
from domain.learning.strategies.registry import named
from domain.learning.tensors import TensorSpec
from tests.unit.domain.learning.strategies.rounds import same

RATE = 0.3
SIZES = (7, 1, 20, 12)


def gradient(model, x, y):
    """Mean gradient of logistic regression over the rows, in the model's dtype."""
    errors = 1 / (1 + np.exp(-(x @ model["weights"] + model["bias"][0]))) - y
    dtype = model["weights"].dtype
    return {
        "bias": np.array([errors.mean()]).astype(dtype),
        "weights": (x.T @ errors / len(x)).astype(dtype),
    }


def micro_batches(seed):
    generator = np.random.default_rng(seed)
    rows = [generator.normal(size=(size, 5)) for size in SIZES]
    return [(x, (x.sum(axis=1) > 0).astype(float)) for x in rows]


def sgd(model, batches, rounds):
    """One process: gradients of micro-batches gathered in float64, then one step over all rows."""
    for _ in range(rounds):
        gathered = {name: np.zeros(array.shape) for name, array in model.items()}
        for x, y in batches:
            for name, slope in gradient(model, x, y).items():
                gathered[name] += len(x) * slope.astype(np.float64)
        rows = sum(len(x) for x, _ in batches)
        model = {
            name: (array.astype(np.float64) - RATE * (gathered[name] / rows)).astype(array.dtype)
            for name, array in model.items()
        }
    return model


def federated(model, batches, rounds):
    schema = tuple(
        TensorSpec(name, "reasoning_improvements", model[name].shape, model[name].dtype.name)
        for name in sorted(model)
    )
    for _ in range(rounds):
        sent = [
            Sent(f"c{i}", {name: -slope for name, slope in gradient(model, x, y).items()}, len(x))
            for i, (x, y) in enumerate(batches)
        ]
        model = named("fedsgd").aggregate(schema, model, InMemory(reversed(sent)), {}, {"rate": RATE}).model
    return model


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_everyone_taking_part_is_sgd_in_one_process_bit_for_bit(dtype, seed):
    batches = micro_batches(seed)
    start = {"bias": np.zeros(1, dtype), "weights": np.full(5, 0.1, dtype)}
    alone = sgd(start, batches, 25)
    assert same(alone, federated(start, batches, 25))
    assert not same(alone, federated(start, batches[:-1], 25))


def test_the_weighted_micro_batches_are_the_gradient_over_all_rows():
    batches = micro_batches(4)
    start = {"bias": np.zeros(1), "weights": np.full(5, 0.1)}
    x, y = (np.concatenate(part) for part in zip(*batches, strict=True))
    whole, parts = sgd(start, [(x, y)], 1), sgd(start, batches, 1)
    assert parts["weights"] == pytest.approx(whole["weights"], rel=1e-12)
