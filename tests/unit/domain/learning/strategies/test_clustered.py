"""IFCA: one model for each discovered group."""

import numpy as np
import pytest

from domain.learning.strategies.clustered import best, together
from domain.learning.strategies.in_memory import InMemory, Sent
from domain.learning.strategies.registry import named
from domain.learning.wire import group_model, model_schema
from domain.refusal import Refusal
from tests.unit.domain.learning.strategies.rounds import SCHEMA, drawn, same, vector

MODEL = together([{"x": np.array([0.0])}, {"x": np.array([100.0])}, {"x": np.array([-7.0])}])


def run(*reports, models=3):
    sent = [Sent(f"c{i}", {"x": np.array([x])}, n, group=g) for i, (x, n, g) in enumerate(reports)]
    return named("clustered").aggregate(vector(1), MODEL, InMemory(sent), {}, {"models": models})


def test_each_model_moves_by_the_weighted_mean_of_its_group_and_without_one_stays():
    done = run((1.0, 3, 0), (5.0, 1, 0), (-10.0, 9, 1))
    assert {name: float(a[0]) for name, a in done.model.items()} == {"0.x": 2.0, "1.x": 90.0, "2.x": -7.0}
    assert done.state == {}


@pytest.mark.parametrize("group", [-1, 3])
def test_an_update_of_a_group_that_is_not_there_enters_none_and_stops_nobody(group):
    done = run((1.0, 1, 0), (1.0, 1, group))
    assert done.excluded == ("c1",)
    assert same(done.model, run((1.0, 1, 0)).model)


def test_more_models_than_clients_are_refused():
    with pytest.raises(Refusal, match="3 models and 2 clients"):
        named("clustered").check({"models": 3}, 2)
    named("clustered").check({"models": 3}, 3)


def test_models_together_are_taken_apart_again():
    models = [drawn(seed) for seed in range(12)]
    held = together(models)
    assert sorted(held) == [spec.name for spec in model_schema(SCHEMA, "clustered", held)]
    assert all(same(group_model(SCHEMA, held, str(group)), model) for group, model in enumerate(models))


def test_a_client_takes_the_model_with_the_least_loss_and_the_first_of_equals():
    assert best([0.5, 0.2, 0.2]) == 1


def test_two_groups_of_clients_find_a_model_each():
    truths, generator = (np.array([2.0, -1.0]), np.array([-3.0, 1.0])), np.random.default_rng(5)
    rows = [generator.normal(size=(20, 2)) for _ in range(10)]
    answers = [x @ truths[i % 2] for i, x in enumerate(rows)]
    held = together([drawn(seed, vector(2)) for seed in (1, 2)])
    for _ in range(15):
        sent = []
        for i, (x, y) in enumerate(zip(rows, answers, strict=True)):
            given = [held[f"{group}.x"] for group in range(2)]
            group = best([float(((x @ w - y) ** 2).mean()) for w in given])
            w = given[group]
            for _ in range(5):
                w = w - 0.2 * x.T @ (x @ w - y) / len(x)
            sent.append(Sent(f"c{i}", {"x": w - given[group]}, len(x), group=group))
        held = named("clustered").aggregate(vector(2), held, InMemory(sent), {}, {}).model
    found = sorted(held[f"{group}.x"].round(3).tolist() for group in range(2))
    assert found == [[-3.0, 1.0], [2.0, -1.0]]
