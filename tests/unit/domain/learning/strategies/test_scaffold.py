"""SCAFFOLD, against algorithm 1 of its paper."""

import numpy as np
import pytest

from domain.learning.strategies.in_memory import InMemory, Sent
from domain.learning.strategies.registry import named
from domain.learning.strategies.scaffold import control_change, correction
from domain.learning.wire import control_schema
from domain.refusal import Refusal
from tests.unit.domain.learning.strategies.rounds import SCHEMA, vector


def run(changes, controls, state, **settings):
    sent = [
        Sent(f"c{i}", {"x": np.array(y), "control.x": np.array(c)}, 10 + 90 * i)
        for i, (y, c) in enumerate(zip(changes, controls, strict=True))
    ]
    return named("scaffold").aggregate(vector(1), {"x": np.array([5.0])}, InMemory(sent), state, settings)


def test_model_and_control_move_by_the_means_of_clients_counted_alike():
    done = run([[1.0], [3.0]], [[0.5], [1.5]], {"control.x": np.array([2.0])}, population=8, rate=0.5)
    assert done.model["x"] == [5 + 0.5 * 2]
    assert done.state["control.x"] == [2 + 2 / 8 * 1]


def test_where_no_population_is_given_everyone_takes_part():
    assert run([[1.0], [3.0]], [[0.5], [1.5]], {}).state["control.x"] == [1]


def test_a_population_below_those_who_report_is_refused():
    with pytest.raises(Refusal, match=r"strategy\.population: 1 is less than the 2 that report"):
        run([[1.0], [3.0]], [[0.5], [1.5]], {}, population=1)
    with pytest.raises(Refusal, match=r"strategy\.population: 9 is less than the 10"):
        named("scaffold").check({"population": 9}, 10)


def test_a_client_corrects_by_the_servers_control_less_its_own():
    state, own = {"control.x": np.array([2.0])}, {"x": np.array([0.5])}
    assert correction(vector(1), state, own)["x"] == [1.5]
    assert correction(vector(1), {}, {})["x"] == [0]


def test_a_clients_control_changes_by_option_2():
    # c_i+ = c_i - c + (x - y_i) / (K rate), with c_i = 7
    c, own, change, steps, rate = 2.0, 7.0, -3.0, 6, 0.25
    found = control_change({"control.x": np.array([c])}, {"x": np.array([change])}, steps, rate)["x"]
    assert own + found == pytest.approx([own - c + (0 - change) / (steps * rate)])
    assert control_change({}, {"x": np.array([change])}, steps, rate)["x"] == pytest.approx([2.0])


def test_clients_with_different_optima_meet_at_the_true_one():
    # f_i = a_i / 2 (x - b_i)^2: local training alone ends beside the minimum of the sum.
    curves, minima, rate, steps = np.array([1.0, 10.0]), np.array([0.0, 1.0]), 0.05, 10
    truth = (curves * minima).sum() / curves.sum()

    def trained(rounds, *, corrected):
        model, state, own = {"x": np.array([0.3])}, {}, [{}, {}]
        for _ in range(rounds):
            sent = []
            for i in range(2):
                add = correction(vector(1), state, own[i])["x"] if corrected else 0.0
                y = model["x"]
                for _ in range(steps):
                    y = y - rate * (curves[i] * (y - minima[i]) + add)
                change = {"x": y - model["x"]}
                moved = control_change(state, change, steps, rate)
                own[i] = {"x": own[i].get("x", 0.0) + moved["x"]}
                sent.append(Sent(f"c{i}", {**change, "control.x": moved["x"]}, 10))
            done = named("scaffold").aggregate(vector(1), model, InMemory(sent), state, {})
            model, state = done.model, done.state
        return float(model["x"][0])

    assert trained(60, corrected=True) == pytest.approx(truth, abs=1e-6)
    assert abs(trained(60, corrected=False) - truth) > 0.1


def test_the_controls_travel_under_names_of_their_own():
    assert [spec.name for spec in control_schema(SCHEMA)] == ["control.bias", "control.weights"]
    assert [spec.shape for spec in control_schema(SCHEMA)] == [(3,), (3, 4)]
