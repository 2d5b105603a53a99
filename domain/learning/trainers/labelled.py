"""Rows that a classifier can learn from: `x` (rows x features) and `y`, whole numbers from 0."""

import numpy as np

from domain.learning.tensors import Array
from domain.learning.trainer import Rows
from domain.learning.trainers.settings import Settings
from domain.refusal import Refusal


def labelled(rows: Rows, settings: Settings) -> dict[str, Array]:
    """`x` in the model's dtype and `y` as whole numbers; other arrays are left aside.

    Raises:
        Refusal: one of the two is missing, or is not what the settings say; there is no row.
    """
    for name in ("x", "y"):
        if name not in rows:
            raise Refusal("rows", f"have no array '{name}'")
    return {"x": _features(rows["x"], settings), "y": _classes(rows["y"], len(rows["x"]), settings.classes)}


def _features(x: Array, settings: Settings) -> Array:
    if x.dtype.kind not in "biuf":
        raise Refusal("rows", f"x is {x.dtype}, which is no number")
    if x.ndim < 2 or x[0:1].size != min(len(x), 1) * settings.features:  # noqa: PLR2004 # rows and features
        raise Refusal("rows", f"x is {list(x.shape)}, not rows x {settings.features}")
    if not len(x):
        raise Refusal("rows", "there is none")
    with np.errstate(over="ignore"):  # said in one line below
        flat = x.reshape(len(x), settings.features).astype(settings.dtype)
    if not np.isfinite(flat).all():
        raise Refusal("rows", "x holds NaN, an infinity, or more than the dtype can")
    return flat


def _classes(y: Array, rows: int, classes: int) -> Array:
    if y.shape != (rows,):
        raise Refusal("rows", f"y is {list(y.shape)}, not {[rows]}, one class for each row of x")
    # A CSV has whole numbers as floats.
    if y.dtype.kind not in "biuf" or not (np.isfinite(y) & (y == np.rint(y))).all():
        raise Refusal("rows", f"y ({y.dtype}) does not hold whole numbers only")
    low, high = int(y.min()), int(y.max())
    if low < 0 or high >= classes:
        raise Refusal("rows", f"y holds {low if low < 0 else high}; classes are 0 to {classes - 1}")
    return y.astype(np.int64)
