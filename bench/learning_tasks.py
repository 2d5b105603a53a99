"""Small tasks whose outcome is known from the literature: digits over clients, and `synthetic(a, b)`."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.crowd_families import Random
from domain.learning.policy import Setting
from domain.learning.tensors import Array
from domain.learning.trainer import Rows

DIGITS: dict[str, Setting] = {"features": 64, "classes": 10, "hidden": 64}
SYNTHETIC: dict[str, Setting] = {"features": 60, "classes": 10}
SHARDS = 2
MOST_ROWS = 500
"""Of a client of `synthetic`: the log-normal's tail would take most of the time and change little."""


@dataclass(frozen=True, slots=True)
class Task:
    """The rows of each client, and those that the model is judged by."""

    clients: Sequence[Rows]
    test: Rows


def digits(clients: int, seed: int, *, shards: bool) -> Task:
    """scikit-learn's 1,797 digits, pixels from 0 to 1, a fifth of them to judge by.

    Without `shards` dealt out evenly; with them sorted by digit, cut into two pieces a client and the pieces
    dealt out, as H. B. McMahan and others did ("Communication-Efficient Learning of Deep Networks from
    Decentralized Data", AISTATS 2017): most clients know two digits only.
    """
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    draw = np.random.default_rng([seed, 1])
    order = draw.permutation(len(y))
    test, train = np.split(order, [len(y) // 5])
    if shards:
        pieces = np.array_split(train[np.argsort(y[train], kind="stable")], clients * SHARDS)
        dealt = draw.permutation(len(pieces)).reshape(clients, SHARDS)
        parts = [np.concatenate([pieces[piece] for piece in of]) for of in dealt]
    else:
        parts = np.array_split(train, clients)
    return Task([_taken(x / 16, y, part) for part in parts], _taken(x / 16, y, test))


def synthetic(clients: int, seed: int, a: float, b: float) -> Task:
    """Softmax models that differ between clients by `a`, over rows that differ by `b`; a fifth judges.

    As in T. Li and others, "Federated Optimization in Heterogeneous Networks", MLSys 2020: 60 features, 10
    classes, numbers of rows from a log-normal distribution.
    """
    draw = np.random.default_rng([seed, 2])
    spread = np.sqrt(np.arange(1, 61) ** -1.2)
    train, test = [], []
    for _ in range(clients):
        count = int(min(draw.lognormal(4, 2) + 50, MOST_ROWS))
        middle, centre = draw.normal(0, np.sqrt(a)), draw.normal(0, np.sqrt(b))
        weight, bias = draw.normal(middle, 1, (60, 10)), draw.normal(middle, 1, 10)
        x = draw.normal(draw.normal(centre, 1, 60), spread, (count, 60))
        y = (x @ weight + bias).argmax(axis=1)
        cut = count // 5
        test.append((x[:cut], y[:cut]))
        train.append({"x": x[cut:], "y": y[cut:]})
    return Task(train, {"x": np.concatenate([x for x, _ in test]), "y": np.concatenate([y for _, y in test])})


def drawn(draw: Random, clients: int, size: int) -> list[int]:
    """Who takes part in a round, in the order of their numbers."""
    return sorted(draw.choice(clients, size, replace=False).tolist())


def _taken(x: Array, y: Array, part: Array) -> Rows:
    return {"x": x[part].astype(np.float32), "y": y[part]}
