"""Stochastic gradient descent on a node, for whatever gives gradients.

What strategies ask of a client comes from here, so a trainer that gives gradients has all four abilities:
one full gradient (FedSGD: one epoch, batch 0), the proximal term of FedProx (T. Li and others, "Federated
Optimization in Heterogeneous Networks", MLSys 2020), the control variates of SCAFFOLD (S. P. Karimireddy and
others, "SCAFFOLD: Stochastic Controlled Averaging for Federated Learning", ICML 2020), and stopping between
two steps with what was reached.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.random import PCG64, Generator  # noqa: TID251 # by the plan's seed, which is on the record
from numpy.typing import NDArray

from domain.learning.tensors import Array, Tensors
from domain.learning.trainer import Ability, LocalPlan, Rows, Tell
from domain.refusal import Refusal

ABILITIES: frozenset[Ability] = frozenset({"gradient", "proximal", "control", "partial"})


class Gradient(Protocol):
    """The mean loss of a model over rows, and its slope in each tensor; it must not write into either."""

    def __call__(self, model: Tensors, rows: Rows, /) -> tuple[float, Tensors]: ...


@dataclass(frozen=True, slots=True)
class Descended:
    """The tensors reached in `steps` of `planned` steps."""

    model: dict[str, Array]
    steps: int
    planned: int


def descend(gradient: Gradient, model: Tensors, rows: Rows, plan: LocalPlan, tell: Tell) -> Descended:
    """Follow the slope: w <- w - learning_rate * (slope + proximal * (w - model) + control), batch by batch.

    Every epoch goes through the rows in an order of its own, drawn by the plan's seed; all rows at once are
    taken as they lie. The computation is done in the dtype of `model`, which is left as it is.

    Raises:
        Refusal: there are no rows, the control variates are not of the model's shape, or the steps led to
            numbers that are none.
    """
    count = _count(rows)
    control = _control(model, plan)
    planned = plan.epochs * (1 if _whole(plan, count) else math.ceil(count / plan.batch))
    now = dict(model)
    steps = 0
    with np.errstate(over="ignore", invalid="ignore"):  # said in one line below
        for chosen in _batches(plan, count):
            _, slopes = gradient(now, rows if chosen is None else _part(rows, chosen))
            now = {
                name: _stepped(tensor, slopes[name], model[name], control[name] if control else None, plan)
                for name, tensor in now.items()
            }
            steps += 1
            if not tell(steps, planned):
                break
    if not all(np.isfinite(tensor).all() for tensor in now.values()):
        raise Refusal(
            "learning_rate",
            f"{plan.learning_rate:g} led to NaN or an infinity within {steps} steps; lower it, or scale x",
        )
    return Descended(now, steps, planned)


def _stepped(tensor: Array, slope: Array, start: Array, control: Array | None, plan: LocalPlan) -> Array:
    if plan.proximal:
        slope = slope + plan.proximal * (tensor - start)
    if control is not None:
        slope = slope + control
    stepped: Array = (tensor - plan.learning_rate * slope).astype(tensor.dtype, copy=False)
    return stepped


def _count(rows: Rows) -> int:
    lengths = {len(array) for array in rows.values()}
    if len(lengths) != 1 or not (count := lengths.pop()):
        raise Refusal("rows", "there are none to train on, or their arrays differ in length")
    return count


def _whole(plan: LocalPlan, count: int) -> bool:
    return not 0 < plan.batch < count


def _batches(plan: LocalPlan, count: int) -> Iterator[NDArray[np.int64] | None]:
    """Which rows each step takes; None: all of them as they lie, so that one full gradient is just that."""
    draw = Generator(PCG64(plan.seed))
    for _ in range(plan.epochs):
        if _whole(plan, count):
            yield None
        else:
            order = draw.permutation(count)
            yield from (order[start : start + plan.batch] for start in range(0, count, plan.batch))


def _part(rows: Rows, chosen: NDArray[np.int64]) -> Rows:
    return {name: array[chosen] for name, array in rows.items()}


def _control(model: Tensors, plan: LocalPlan) -> Tensors | None:
    """The control variates in the model's dtype, or every step would be rounded in another one."""
    if plan.control is None:
        return None
    shapes = {name: array.shape for name, array in model.items()}
    if {name: array.shape for name, array in plan.control.items()} != shapes:
        raise Refusal("control", "its tensors are not those of the model, by name and shape")
    return {name: plan.control[name].astype(array.dtype) for name, array in model.items()}
