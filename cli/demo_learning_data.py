"""The demo's data: scikit-learn's digits, dealt out to nodes so that each has few kinds of them."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domain.refusal import Refusal

NODES, SHARDS, HOLDOUT = 20, 2, 297
REGIONS = ("eu", "us", "ap")
SEED = 7
FEATURES, CLASSES = 64, 10
Rows = Mapping[str, NDArray[np.generic]]


def names() -> dict[str, str]:
    """The region of each node, by its id."""
    return {f"{REGIONS[at % len(REGIONS)]}-{at:02}": REGIONS[at % len(REGIONS)] for at in range(NODES)}


def digits() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """1,797 pictures of digits, 64 brightnesses each from 0 to 1, and which digit each is.

    Raises:
        Refusal: scikit-learn, which has them, is not installed.
    """
    try:
        from sklearn.datasets import load_digits  # type: ignore[import-untyped]  # it has no types
    except ImportError:
        raise Refusal(
            "demo learning", "needs scikit-learn and more: `make demo-learning` installs them"
        ) from None
    x, y = load_digits(return_X_y=True)
    return (x / 16).astype(np.float32), y.astype(np.int64)


def dealt(x: NDArray[np.float32], y: NDArray[np.int64]) -> tuple[dict[str, Rows], Rows]:
    """Each node's rows, by its id, and the rows of nobody, which models are evaluated on.

    What is not held out is sorted by digit and cut into two shards for each node, which are dealt out by a
    seed: H. B. McMahan et al., "Communication-efficient learning of deep networks from decentralized data",
    AISTATS 2017 (arXiv:1602.05629), section 3.
    """
    draw = np.random.default_rng(SEED)
    order = draw.permutation(len(y))
    held, rest = order[:HOLDOUT], order[HOLDOUT:]
    shards = np.array_split(rest[np.argsort(y[rest], kind="stable")], SHARDS * NODES)
    dealing = draw.permutation(len(shards)).reshape(NODES, SHARDS)
    chosen = (np.concatenate([shards[at] for at in hand]) for hand in dealing)
    own: dict[str, Rows] = {name: {"x": x[at], "y": y[at]} for name, at in zip(names(), chosen, strict=True)}
    return own, {"x": x[held], "y": y[held]}


def write(folder: Path, own: Mapping[str, Rows]) -> dict[str, Path]:
    """A file for each node that it alone reads; where they are."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    files = {name: folder / f"{name}.npz" for name in own}
    for name, rows in own.items():
        np.savez(files[name], allow_pickle=False, **rows)
    return files
