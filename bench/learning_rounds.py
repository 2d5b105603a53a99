"""Federated rounds in one process, by our strategies and trainers: what the claims are measured with."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import count

import numpy as np

from bench.learning_tasks import DIGITS, SYNTHETIC, Task, drawn
from domain.learning.policy import Setting, StrategySpec
from domain.learning.strategies.in_memory import InMemory, Sent
from domain.learning.strategies.registry import named
from domain.learning.strategies.scaffold import control_change, correction
from domain.learning.tensors import Tensors
from domain.learning.trainer import Fitted, LocalPlan, Tell, Trainer
from domain.learning.trainers.logistic_regression import LogisticRegression
from domain.learning.trainers.multilayer_perceptron import MultilayerPerceptron
from domain.learning.wire import CONTROL

COHORT = 10
FLIPPED = -4.0
Accuracies = Iterator[float]
"""Of the model after each round, without end."""


def fedavg(task: Task, plan: LocalPlan, seed: int) -> Accuracies:
    """Mean change weighted by rows."""
    trainer, strategy = MultilayerPerceptron(), named("fedavg")
    schema, model = trainer.schema(DIGITS), trainer.initial(DIGITS, seed)
    draw = np.random.default_rng([seed, 3])
    for number in count(1):
        chosen = drawn(draw, len(task.clients), COHORT)
        sent = [
            _sent(client, model, trainer.fit(model, task.clients[client], DIGITS, asked, _on))
            for client in chosen
            for asked in [_seeded(plan, seed, number, client)]
        ]
        model = strategy.aggregate(schema, model, InMemory(sent), {}, strategy.defaults).model
        yield _accuracy(trainer, model, task, DIGITS)


def fedsgd(task: Task, plan: LocalPlan, seed: int) -> Accuracies:
    """One gradient of each client, and a step of the plan's rate at the server; nothing else of the plan."""
    trainer, strategy = MultilayerPerceptron(), named("fedsgd")
    schema, model = trainer.schema(DIGITS), trainer.initial(DIGITS, seed)
    settings = {**strategy.defaults, "rate": plan.learning_rate}
    draw = np.random.default_rng([seed, 3])
    while True:
        sent = []
        for client in drawn(draw, len(task.clients), COHORT):
            rows = task.clients[client]
            slope = trainer.gradient(model, rows, DIGITS)
            change = {name: -array for name, array in slope.items()}
            sent.append(Sent(_name(client), change, len(rows["y"])))
        model = strategy.aggregate(schema, model, InMemory(sent), {}, settings).model
        yield _accuracy(trainer, model, task, DIGITS)


def scaffold(task: Task, plan: LocalPlan, seed: int) -> Accuracies:
    """SCAFFOLD, option II of its paper, with a global step of 1."""
    trainer, strategy = MultilayerPerceptron(), named("scaffold")
    schema, model = trainer.schema(DIGITS), trainer.initial(DIGITS, seed)
    settings = {**strategy.defaults, "population": len(task.clients)}
    draw = np.random.default_rng([seed, 3])
    state: Tensors = {}
    own: list[Tensors] = [{name: np.zeros_like(array) for name, array in model.items()} for _ in task.clients]
    for number in count(1):
        sent = []
        for client in drawn(draw, len(task.clients), COHORT):
            asked = _seeded(plan, seed, number, client)
            asked = replace(asked, control=correction(schema, state, own[client]))
            fitted = trainer.fit(model, task.clients[client], DIGITS, asked, _on)
            change = {name: fitted.model[name] - model[name] for name in model}
            moved = control_change(state, change, fitted.steps, plan.learning_rate)
            own[client] = {name: own[client][name] + moved[name] for name in model}
            variates = {CONTROL + name: array for name, array in moved.items()}
            sent.append(Sent(_name(client), {**change, **variates}, fitted.samples))
        made = strategy.aggregate(schema, model, InMemory(sent), state, settings)
        model, state = made.model, made.state
        yield _accuracy(trainer, model, task, DIGITS)


def under_attack(task: Task, plan: LocalPlan, seed: int, rule: StrategySpec, liars: int) -> Accuracies:
    """Everybody takes part; the first `liars` clients send FLIPPED times the change that they came to."""
    trainer, strategy = MultilayerPerceptron(), named(rule.name)
    schema, model = trainer.schema(DIGITS), trainer.initial(DIGITS, seed)
    settings = {**strategy.defaults, **rule.settings}
    state: Tensors = {}
    for number in count(1):
        sent = []
        for client, rows in enumerate(task.clients):
            fitted = trainer.fit(model, rows, DIGITS, _seeded(plan, seed, number, client), _on)
            times = np.float32(FLIPPED if client < liars else 1)
            change = {name: times * (fitted.model[name] - model[name]) for name in model}
            sent.append(Sent(_name(client), change, fitted.samples, fitted.loss))
        made = strategy.aggregate(schema, model, InMemory(sent), state, settings)
        model, state = made.model, made.state
        yield _accuracy(trainer, model, task, DIGITS)


def with_stragglers(task: Task, plan: LocalPlan, seed: int, *, keep: bool) -> Accuracies:
    """Nine of ten clients are stopped after some of their epochs: dropped, or with `keep` averaged in."""
    trainer, strategy = LogisticRegression(), named("fedprox")
    schema, model = trainer.schema(SYNTHETIC), trainer.initial(SYNTHETIC, seed)
    draw = np.random.default_rng([seed, 3])
    for number in count(1):
        chosen = drawn(draw, len(task.clients), COHORT)
        slow = set(draw.choice(chosen, COHORT * 9 // 10, replace=False).tolist())
        sent = []
        for client in chosen:
            share = draw.integers(1, plan.epochs) / plan.epochs if client in slow else 1
            if share == 1 or keep:
                asked = _seeded(plan, seed, number, client)
                rows = task.clients[client]
                sent.append(
                    _sent(client, model, trainer.fit(model, rows, SYNTHETIC, asked, _until(float(share))))
                )
        model = strategy.aggregate(schema, model, InMemory(sent), {}, strategy.defaults).model
        yield _accuracy(trainer, model, task, SYNTHETIC)


def _sent(client: int, model: Tensors, fitted: Fitted) -> Sent:
    change = {name: fitted.model[name] - model[name] for name in model}
    return Sent(_name(client), change, fitted.samples, fitted.loss)


def _name(client: int) -> str:
    return f"c{client:03}"


def _accuracy(trainer: Trainer, model: Tensors, task: Task, settings: Mapping[str, Setting]) -> float:
    return trainer.evaluate(model, task.test, settings).accuracy or 0.0


def _seeded(plan: LocalPlan, seed: int, number: int, client: int) -> LocalPlan:
    return replace(plan, seed=(seed * 1_000 + number) * 1_000 + client)


def _on(done: int, planned: int) -> bool:  # noqa: ARG001 # never stops
    return True


def _until(share: float) -> Tell:
    def tell(done: int, planned: int) -> bool:
        return done < share * planned

    return tell
