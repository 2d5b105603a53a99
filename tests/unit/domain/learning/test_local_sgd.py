"""Descent by hand: plain steps, the terms of FedProx and SCAFFOLD, order, stopping."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.learning.trainers.local_sgd import descend
from domain.refusal import Refusal
from tests.unit.domain.learning.training import StopAfter, on, plan, same

START = {"w": np.array([1.0, 2.0])}
TARGETS = {"t": np.array([[3.0, 0.0], [5.0, 4.0]])}


def pull(model, rows):
    """Half the mean squared distance to the targets: the slope is w - mean(t)."""
    away = model["w"] - rows["t"]
    return float((away**2).sum(axis=1).mean() / 2), {"w": away.mean(axis=0)}


def test_one_step_over_all_rows_goes_down_the_slope():
    reached = descend(pull, START, TARGETS, plan(), on)
    assert reached.model["w"].tolist() == [1 - 0.1 * (1 - 4), 2 - 0.1 * (2 - 2)]
    assert (reached.steps, reached.planned) == (1, 1)


def test_the_proximal_term_pulls_back_to_where_it_began():
    # FedProx: the slope of mu/2 |w - w0|^2 is mu (w - w0), nothing in the first step.
    reached = descend(pull, START, TARGETS, plan(epochs=2, proximal=2.0), on)
    first = 1 - 0.1 * (1 - 4)
    assert reached.model["w"][0] == first - 0.1 * ((first - 4) + 2.0 * (first - 1))
    assert reached.model["w"][0] < descend(pull, START, TARGETS, plan(epochs=2), on).model["w"][0]


def test_control_variates_are_added_to_every_slope():
    # SCAFFOLD: y <- y - lr (g(y) + c - c_i), with c - c_i = [1, -1].
    control = {"w": np.array([1.0, -1.0])}
    reached = descend(pull, START, TARGETS, plan(epochs=2, control=control), on)
    first = np.array([1 - 0.1 * (-3 + 1), 2 - 0.1 * (0 - 1)])
    assert reached.model["w"].tolist() == (first - 0.1 * (first - [4, 2] + [1, -1])).tolist()


@pytest.mark.parametrize("control", [{}, {"v": np.zeros(2)}, {"w": np.zeros(3)}])
def test_control_variates_of_another_shape_are_refused(control):
    with pytest.raises(Refusal, match="control: its tensors are not those of the model"):
        descend(pull, START, TARGETS, plan(control=control), on)


@given(
    count=st.integers(1, 30), batch=st.integers(0, 40), epochs=st.integers(1, 4), seed=st.integers(0, 2**53)
)
def test_every_epoch_takes_every_row_once_in_batches_of_the_size_asked_for(count, batch, epochs, seed):
    seen = []

    def look(_, rows):
        seen.append(rows["t"].tolist())
        return 0.0, {"w": np.zeros(2)}

    reached = descend(look, START, {"t": np.arange(count)}, plan(epochs=epochs, batch=batch, seed=seed), on)
    assert reached.steps == reached.planned == len(seen)
    each = len(seen) // epochs
    for epoch in range(epochs):
        taken = seen[epoch * each : (epoch + 1) * each]
        assert sorted(row for part in taken for row in part) == list(range(count))
        assert {len(part) for part in taken[:-1]} <= {batch}
        assert each == 1 or len(taken[-1]) <= batch
    assert same(reached.model, START)


def test_each_epoch_and_each_seed_has_an_order_of_its_own():
    def orders(seed):
        seen = []

        def look(_, rows):
            seen.extend(rows["t"].tolist())
            return 0.0, {"w": np.zeros(2)}

        descend(look, START, {"t": np.arange(40)}, plan(epochs=2, batch=39, seed=seed), on)
        return seen[:40], seen[40:]

    assert orders(1) == orders(1)
    assert len({tuple(order) for seed in (1, 2) for order in orders(seed)}) == 4


def test_all_rows_at_once_are_taken_as_they_lie():
    lain = []
    descend(lambda m, r: lain.append(r) or pull(m, r), START, TARGETS, plan(batch=2, epochs=2), on)
    assert all(rows is TARGETS for rows in lain)


def test_it_stops_between_two_steps_with_what_was_reached():
    stop = StopAfter(3)
    asked = plan(epochs=4, batch=1)
    reached = descend(pull, START, TARGETS, asked, stop)
    assert (reached.steps, reached.planned) == (3, 8)
    assert stop.told == [(1, 8), (2, 8), (3, 8)]
    assert not same(reached.model, descend(pull, START, TARGETS, asked, on).model)
    again = StopAfter(3)
    assert same(reached.model, descend(pull, START, TARGETS, asked, again).model)


def test_what_is_cancelled_keeps_nothing_and_the_model_given_is_left_as_it_was():
    before = START["w"].copy()

    def cancel(done, planned):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        descend(pull, START, TARGETS, plan(), cancel)
    descend(pull, START, TARGETS, plan(epochs=3), on)
    assert START["w"].tolist() == before.tolist()


def test_a_descent_that_leaves_the_numbers_is_refused():
    with pytest.raises(Refusal, match=r"learning_rate: 1e\+06 led to NaN or an infinity within 60 steps"):
        descend(pull, START, TARGETS, plan(learning_rate=1e6, epochs=60), on)


@pytest.mark.parametrize("rows", [{}, {"t": np.zeros((0, 2))}, {"t": np.zeros((2, 2)), "u": np.zeros(3)}])
def test_rows_that_are_none_are_refused(rows):
    with pytest.raises(Refusal, match="rows: there are none to train on"):
        descend(pull, START, rows, plan(), on)


def test_the_dtype_of_the_model_is_kept_whatever_the_slopes_are():
    model = {"w": np.array([1.0, 2.0], np.float32)}
    control = {"w": np.ones(2)}
    reached = descend(pull, model, TARGETS, plan(control=control, proximal=0.5, epochs=2), on)
    assert reached.model["w"].dtype == np.float32


def test_clients_that_train_at_once_get_what_they_get_alone():
    plans = [plan(batch=1, epochs=5, seed=seed) for seed in range(8)]

    def train(asked):
        return descend(pull, START, TARGETS, asked, on).model

    alone = [train(asked) for asked in plans]
    with ThreadPoolExecutor(4) as pool:
        assert all(same(*pair) for pair in zip(alone, pool.map(train, plans), strict=True))
