"""The task that both sides train: digits, a perceptron of 4,810 numbers, one epoch a round."""

import numpy as np
from sklearn.datasets import load_digits

HIDDEN, RATE, BATCH = 64, 0.1, 10
Arrays = list[np.ndarray]


def client_rows(client: int, clients: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows of one client, every `clients`-th of the digits in a fixed order."""
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))[client::clients]
    return (x[order] / 16).astype(np.float32), y[order]


def fresh() -> Arrays:
    """64 x 64 + 64 + 64 x 10 + 10 = 4,810 numbers."""
    draw = np.random.default_rng(1)
    return [
        draw.normal(0, 0.18, (64, HIDDEN)).astype(np.float32),
        np.zeros(HIDDEN, np.float32),
        draw.normal(0, 0.18, (HIDDEN, 10)).astype(np.float32),
        np.zeros(10, np.float32),
    ]


def trained(model: Arrays, x: np.ndarray, y: np.ndarray) -> Arrays:
    """One epoch of plain stochastic gradient descent."""
    w1, b1, w2, b2 = (array.copy() for array in model)
    for start in range(0, len(y), BATCH):
        rows, labels = x[start : start + BATCH], y[start : start + BATCH]
        hidden = np.maximum(rows @ w1 + b1, 0)
        scores = hidden @ w2 + b2
        scores = np.exp(scores - scores.max(1, keepdims=True))
        wrong = scores / scores.sum(1, keepdims=True)
        wrong[np.arange(len(labels)), labels] -= 1
        wrong /= len(labels)
        back = (wrong @ w2.T) * (hidden > 0)
        w2 -= RATE * hidden.T @ wrong
        b2 -= RATE * wrong.sum(0)
        w1 -= RATE * rows.T @ back
        b1 -= RATE * back.sum(0)
    return [w1, b1, w2, b2]


def accuracy(model: Arrays, x: np.ndarray, y: np.ndarray) -> float:
    """The share of rows named rightly."""
    w1, b1, w2, b2 = model
    return float(((np.maximum(x @ w1 + b1, 0) @ w2 + b2).argmax(1) == y).mean())
