"""Federated rounds in one process, as plain as can be: what the claims are measured with."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count

import numpy as np

from bench.learning_tasks import DIGITS, SYNTHETIC, Task, drawn
from domain.learning.policy import Setting, StrategySpec
from domain.learning.strategies.in_memory import InMemory, Sent
from domain.learning.strategies.registry import named
from domain.learning.tensors import Array, Tensors
from domain.learning.trainer import LocalPlan, Tell, Trainer
from domain.learning.trainers.logistic_regression import LogisticRegression
from domain.learning.trainers.multilayer_perceptron import MultilayerPerceptron

COHORT = 10
FLIPPED = -4.0
Accuracies = Iterator[float]
"""Of the model after each round, without end."""


def fedavg(task: Task, plan: LocalPlan, seed: int) -> Accuracies:
    """Mean change weighted by rows; with one epoch and batch 0 that is FedSGD."""
    trainer = MultilayerPerceptron()
    model, draw = dict(trainer.initial(DIGITS, seed)), np.random.default_rng([seed, 3])
    for number in count(1):
        chosen = drawn(draw, len(task.clients), COHORT)
        fitted = [
            trainer.fit(model, task.clients[client], DIGITS, _seeded(plan, seed, number, client), _on)
            for client in chosen
        ]
        weights = [one.samples for one in fitted]
        model = _mean([one.model for one in fitted], weights)
        yield _accuracy(trainer, model, task, DIGITS)


def scaffold(task: Task, plan: LocalPlan, seed: int) -> Accuracies:
    """SCAFFOLD, option II of its paper, with a global step of 1."""
    trainer = MultilayerPerceptron()
    model, draw = dict(trainer.initial(DIGITS, seed)), np.random.default_rng([seed, 3])
    ours = {name: np.zeros_like(array) for name, array in model.items()}
    theirs = [dict(ours) for _ in task.clients]
    for number in count(1):
        chosen = drawn(draw, len(task.clients), COHORT)
        reached, moved = [], []
        for client in chosen:
            before = theirs[client]
            control = {name: ours[name] - before[name] for name in ours}
            asked = replace(_seeded(plan, seed, number, client), control=control)
            fitted = trainer.fit(model, task.clients[client], DIGITS, asked, _on)
            far = fitted.steps * plan.learning_rate
            theirs[client] = {name: (model[name] - fitted.model[name]) / far - control[name] for name in ours}
            reached.append(fitted.model)
            moved.append({name: theirs[client][name] - before[name] for name in ours})
        model = _mean(reached, [1] * len(reached))
        share = len(chosen) / len(task.clients)
        change = _mean(moved, [1] * len(moved))
        ours = {name: ours[name] + np.float32(share) * change[name] for name in ours}
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
            sent.append(Sent(f"c{client:03}", change, fitted.samples, fitted.loss))
        made = strategy.aggregate(schema, model, InMemory(sent), state, settings)
        model, state = made.model, made.state
        yield _accuracy(trainer, model, task, DIGITS)


def with_stragglers(task: Task, plan: LocalPlan, seed: int, *, keep: bool) -> Accuracies:
    """Nine of ten clients are stopped after some of their epochs: dropped, or with `keep` averaged in."""
    trainer = LogisticRegression()
    model, draw = dict(trainer.initial(SYNTHETIC, seed)), np.random.default_rng([seed, 3])
    for number in count(1):
        chosen = drawn(draw, len(task.clients), COHORT)
        slow = set(draw.choice(chosen, COHORT * 9 // 10, replace=False).tolist())
        fitted = []
        for client in chosen:
            share = draw.integers(1, plan.epochs) / plan.epochs if client in slow else 1
            if share == 1 or keep:
                asked = _seeded(plan, seed, number, client)
                fitted.append(
                    trainer.fit(model, task.clients[client], SYNTHETIC, asked, _until(float(share)))
                )
        model = _mean([one.model for one in fitted], [one.samples for one in fitted])
        yield _accuracy(trainer, model, task, SYNTHETIC)


def _mean(models: Sequence[Tensors], weights: list[int]) -> dict[str, Array]:
    """In float64, as the aggregator does, then in the models' dtype."""
    return {
        name: np.average([one[name] for one in models], axis=0, weights=weights).astype(models[0][name].dtype)
        for name in models[0]
    }


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
