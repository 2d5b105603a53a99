"""FedAvg, FedProx, FedAvgM, the adaptive ones, q-FedAvg: against their papers' formulas."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.learning.strategies.in_memory import InMemory
from domain.learning.strategies.registry import named
from domain.refusal import Refusal
from tests.unit.domain.learning.strategies.rounds import SCHEMA, drawn, result, sent, updates, vector

ROUNDS = (np.array([1.0, -2.0]), np.array([0.5, 4.0]), np.array([-3.0, 0.25]))


def by_steps(name, settings):
    """The model after each of three rounds whose mean changes are ROUNDS."""
    model, state, models = {"x": np.zeros(2)}, {}, []
    for change in ROUNDS:
        done = named(name).step(vector(2), model, {"x": change}, state, settings)
        model, state = done.model, done.state
        models.append(model["x"])
    return models


@pytest.mark.parametrize("name", ["fedavg", "fedprox", "fedsgd"])
def test_the_mean_is_weighted_by_samples(name):
    assert result(name, [[1.0], [5.0]], [3, 1], rate=0.5).model["x"] == pytest.approx([0.5 * (3 + 5) / 4])


def test_nobody_with_a_sample_has_no_mean():
    with pytest.raises(Refusal, match="2 clients have 0 rows in all"):
        result("fedavg", [[1.0], [5.0]], [0, 0])


def test_momentum_adds_the_past_changes():
    found = by_steps("fedavgm", {"rate": 0.5, "momentum": 0.9})
    momentum, x = np.zeros(2), np.zeros(2)
    for change, model in zip(ROUNDS, found, strict=True):
        momentum = 0.9 * momentum + change
        x = x + 0.5 * momentum
        assert model == pytest.approx(x)


@pytest.mark.parametrize("name", ["fedadam", "fedyogi", "fedadagrad"])
def test_an_adaptive_server_follows_algorithm_2_of_reddi_and_others(name):
    tau, beta1, beta2, rate = 0.01, 0.8, 0.9, 0.1
    settings = {"tau": tau, "beta1": beta1, "rate": rate} | ({} if name == "fedadagrad" else {"beta2": beta2})
    m, v, x = np.zeros(2), np.full(2, tau**2), np.zeros(2)
    for change, model in zip(ROUNDS, by_steps(name, settings), strict=True):
        m = beta1 * m + (1 - beta1) * change
        square = change**2
        v = {
            "fedadagrad": v + square,
            "fedyogi": v - (1 - beta2) * square * np.sign(v - square),
            "fedadam": beta2 * v + (1 - beta2) * square,
        }[name]
        x = x + rate * m / (np.sqrt(v) + tau)
        assert model == pytest.approx(x, rel=1e-12)


@pytest.mark.parametrize("name", ["fedavg", "fedprox", "fedavgm", "fedadam", "fedyogi", "fedadagrad"])
def test_a_step_from_the_mean_alone_is_the_round_of_the_updates(name):
    strategy, model, round_ = named(name), drawn(1), InMemory(sent(7))
    mean = {
        spec.name: sum(one.samples * one.change[spec.name] for one in sent(7)) / sum(round_.samples)
        for spec in SCHEMA
    }
    whole, step = (
        strategy.aggregate(SCHEMA, model, round_, {}, {}),
        strategy.step(SCHEMA, model, mean, {}, {}),
    )
    for key, array in whole.model.items():
        assert step.model[key] == pytest.approx(array, rel=1e-12)
    assert whole.state.keys() == step.state.keys()


@pytest.mark.parametrize("q", [0.0, 0.5, 1.0, 2.0])
def test_q_fedavg_follows_algorithm_2_of_li_and_others(q):
    rows, losses, lipschitz = [[1.0, 2.0], [-1.0, 0.5], [3.0, 3.0]], [0.2, 1.5, 0.9], 1 / 0.05
    delta, h = np.zeros(2), 0.0
    for change, loss in zip(rows, losses, strict=True):
        gradient = lipschitz * -np.array(change)
        delta += loss**q * gradient
        h += q * loss ** (q - 1) * gradient @ gradient + lipschitz * loss**q
    found = named("q_fedavg").aggregate(
        vector(2), {"x": np.ones(2)}, updates(rows, (), losses), {}, {"q": q, "learning_rate": 0.05}
    )
    assert found.model["x"] == pytest.approx(1 - delta / h, rel=1e-7)  # 1e-10 is added to each loss


def test_q_fedavg_with_q_0_counts_clients_alike():
    assert result("q_fedavg", [[1.0], [5.0]], [100, 1], q=0).model["x"] == pytest.approx([3.0])


@pytest.mark.parametrize("loss", [-1.0, float("nan"), float("inf"), 1e308])
def test_q_fedavg_leaves_out_an_update_whose_loss_has_no_power(loss):
    settings = {"q": 2, "learning_rate": 0.05}
    rows, losses = [[1.0], [2.0], [4.0]], [0.5, loss, 0.7]
    found = named("q_fedavg").aggregate(
        vector(1), {"x": np.zeros(1)}, updates(rows, (), losses), {}, settings
    )
    others = named("q_fedavg").aggregate(
        vector(1), {"x": np.zeros(1)}, updates([[1.0], [4.0]], (), [0.5, 0.7]), {}, settings
    )
    assert found.excluded == (updates(rows).clients[1],)
    assert found.model["x"] == others.model["x"]


def test_q_fedavg_refuses_where_no_loss_has_a_power():
    with pytest.raises(Refusal, match=r"strategy\.q: 100 takes every loss beyond"):
        named("q_fedavg").aggregate(
            vector(1), {"x": np.zeros(1)}, updates([[1.0]], (), [1e9]), {}, {"q": 100}
        )


def test_a_model_that_would_not_be_finite_is_refused():
    with pytest.raises(Refusal, match="tensor 'x' would hold NaN or pass what float64 holds"):
        result("fedavg", [[1e308]], rate=1e6)


def test_a_state_that_would_not_be_finite_is_refused():
    with pytest.raises(Refusal, match=r"tensor 'v\.x' would hold NaN or pass"):
        result("fedadam", [[1e200]])


@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.integers(1, 50)), min_size=1, max_size=6))
def test_a_client_weighs_as_much_as_its_rows_would_as_clients_of_one_row_each(clients):
    rows, samples = [[x] for x, _ in clients], [n for _, n in clients]
    apart = [[x] for x, n in clients for _ in range(n)]
    found = result("fedavg", rows, samples).model["x"]
    assert found == pytest.approx(result("fedavg", apart).model["x"], rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", ["fedavg", "fedavgm", "fedadam", "fedyogi", "fedadagrad"])
def test_only_the_shares_of_samples_count(name):
    rows = [[1.0, -2.0], [0.5, 3.0], [4.0, 4.0]]
    first, second = (result(name, rows, samples).model["x"] for samples in ([1, 2, 3], [10, 20, 30]))
    assert first == pytest.approx(second, rel=1e-12)
    assert first != pytest.approx(result(name, rows, [3, 2, 1]).model["x"], rel=1e-6)


@pytest.mark.parametrize("mean", [{}, {"x": np.zeros(3)}, {"x": np.zeros((2, 1))}])
def test_a_mean_of_another_model_is_refused(mean):
    with pytest.raises(Refusal, match=r"mean: has no tensor 'x' of shape \[2\]"):
        named("fedavg").step(vector(2), {"x": np.zeros(2)}, mean, {}, {})
