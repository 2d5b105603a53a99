"""One client's round of training, as its strategy wants it: epochs, a gradient, control variates, a group."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from activities.learning_ports import Journal, LocalData
from activities.learning_tasks import TrainTask
from activities.own_thread import OwnThreads
from activities.watch import OutOfTime, Watch
from domain.learning import tensor_file
from domain.learning.seeds import seed_of
from domain.learning.strategies.clustered import best
from domain.learning.strategies.scaffold import control_change, correction
from domain.learning.tensors import Array, Schema, Tensors, check_tensors
from domain.learning.trainer import Fitted, LocalPlan, Rows, Tell, Trainer
from domain.learning.wire import CONTROL, group_model, groups_of
from domain.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Given:
    """What every client of a task trains from. `schema`: the trainer's; `state`: the strategy's own."""

    task: TrainTask
    trainer: Trainer
    schema: Schema
    model: Tensors
    state: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Learned:
    """A client's change, under the names of the wire, and what is said of it."""

    change: dict[str, Array]
    samples: int
    steps: int
    planned: int
    loss: float
    raw_bytes: int
    group: int = 0


async def learn(
    given: Given, client: str, data: LocalData, journal: Journal, watch: Watch, *, threads: OwnThreads
) -> Learned:
    """Train on the rows of `client`; what it keeps for its next round stands in the journal afterwards.

    Raises:
        Refusal: the rows or the trainer's result are not what they should be.
        OutOfTime: the deadline was over first, whether the trainer noticed or not.
    """
    task = given.task
    own = await _own_control(task, client, journal) if task.course.client == "control" else {}
    try:
        async with asyncio.timeout(watch.patience) as bound:
            learned, control = await threads.run(_learn, given, client, data, own, watch)
    except TimeoutError:
        if not bound.expired():
            raise  # the trainer's own
        raise OutOfTime from None
    if control is not None:
        await journal.once(_key(task, client, task.round, task.attempt), tensor_file.encode(control))
    return learned


def _learn(
    given: Given, client: str, data: LocalData, own: Tensors, watch: Watch
) -> tuple[Learned, Tensors | None]:
    task = given.task
    rows = data.rows(task.data, task.since, task.until)
    if not all(len(array) for array in rows.values()) or not rows:
        raise Refusal("rows", "there are none in the time that trains")
    tell = watch.begin(client)
    match task.course.client:
        case "gradient":
            return _gradient(given, client, rows, tell), None
        case "control":
            return _controlled(given, client, rows, own, tell)
        case "clustered":
            return _clustered(given, client, rows, tell), None
        case _:
            plan = _plan(task, client)
            return _learned(given.model, _fit(given, given.model, rows, plan, tell), rows), None


def _plan(task: TrainTask, client: str, control: Tensors | None = None) -> LocalPlan:
    return LocalPlan(
        epochs=task.local.epochs,
        batch=task.local.batch,
        learning_rate=task.local.learning_rate,
        seed=seed_of(task.seed, task.round, task.attempt, client),
        proximal=task.course.proximal,
        control=control,
    )


def _fit(given: Given, model: Tensors, rows: Rows, plan: LocalPlan, tell: Tell) -> Fitted:
    fitted = given.trainer.fit(model, rows, given.task.trainer.settings, plan, tell)
    check_tensors(given.schema, fitted.model, "trainer's model")
    if not np.isfinite(fitted.loss):
        raise Refusal("loss", "it is NaN or an infinity")
    return fitted


def _learned(model: Tensors, fitted: Fitted, rows: Rows, group: int = 0) -> Learned:
    return Learned(
        {name: fitted.model[name] - model[name] for name in fitted.model},
        fitted.samples,
        fitted.steps,
        fitted.planned,
        float(fitted.loss),
        sum(array.nbytes for array in rows.values()),
        group,
    )


def _gradient(given: Given, client: str, rows: Rows, tell: Tell) -> Learned:
    """Minus the mean gradient: the trainer's own where it has a method for it, else by one step at rate 1.

    A difference of models is rounded to the model's size; `gradient(model, rows, settings)` is not.
    """
    plan = LocalPlan(epochs=1, batch=0, learning_rate=1.0, seed=_plan(given.task, client).seed)
    fitted = _fit(given, given.model, rows, plan, tell)
    learned = _learned(given.model, fitted, rows)
    exact = getattr(given.trainer, "gradient", None)
    if exact is None:
        return learned
    slopes: Tensors = exact(given.model, rows, given.task.trainer.settings)
    learned.change.update({name: -slope for name, slope in slopes.items()})
    return learned


def _controlled(given: Given, client: str, rows: Rows, own: Tensors, tell: Tell) -> tuple[Learned, Tensors]:
    """What a client of `domain.learning.strategies.scaffold` sends, and its own variates afterwards."""
    plan = _plan(given.task, client, correction(given.schema, given.state, own))
    fitted = _fit(given, given.model, rows, plan, tell)
    learned = _learned(given.model, fitted, rows)
    moved = control_change(given.state, learned.change, max(fitted.steps, 1), plan.learning_rate)
    learned.change.update({CONTROL + name: array for name, array in moved.items()})
    return learned, {name: own[name] + array if name in own else array for name, array in moved.items()}


def _clustered(given: Given, client: str, rows: Rows, tell: Tell) -> Learned:
    """What a client of `domain.learning.strategies.clustered` sends, of the group whose model it trained."""
    settings = given.task.trainer.settings
    models = [group_model(given.schema, given.model, one) for one in groups_of(given.schema, given.model)]
    losses = [given.trainer.evaluate(model, rows, settings).loss for model in models]
    group = best(losses)
    fitted = _fit(given, models[group], rows, _plan(given.task, client), tell)
    return _learned(models[group], fitted, rows, group=group)


async def _own_control(task: TrainTask, client: str, journal: Journal) -> Tensors:
    """The client's variates after the last round that became a model and that it trained in."""
    for number in range(len(task.attempts), 0, -1):
        kept = await journal.read(_key(task, client, number, task.attempts[number - 1]))
        if kept is not None:
            return tensor_file.decode(kept, "journal")[0]
    return {}


def _key(task: TrainTask, client: str, number: int, attempt: int) -> str:
    return f"control/{task.cycle}/{client}/{number}/{attempt}"
