"""What holds for all of them: order, blocks, dtypes, memory, purity."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.learning.strategies import blocks
from domain.learning.strategies.clustered import together
from domain.learning.strategies.in_memory import InMemory, Sent
from domain.learning.strategies.registry import STRATEGIES, named
from domain.learning.strategy import Strategy
from domain.learning.tensors import TensorSpec, check_tensors
from domain.refusal import Refusal
from tests.unit.domain.learning.strategies.rounds import SCHEMA, drawn, same, sent, vector

ALL = pytest.mark.parametrize("name", sorted(STRATEGIES))


def given_model(name, schema=SCHEMA, seed=1):
    model = drawn(seed, schema)
    return together([model, drawn(seed + 1, schema)]) if name == "clustered" else model


def with_controls(some, schema=SCHEMA):
    """The same updates, as clients of SCAFFOLD send them."""
    return [
        Sent(
            one.client,
            {**one.change, **{f"control.{spec.name}": -one.change[spec.name] / 3 for spec in schema}},
            one.samples,
            one.loss,
            one.steps,
            one.group,
        )
        for one in some
    ]


def round_of(name, some, schema=SCHEMA, state=None):
    return named(name).aggregate(
        schema, given_model(name, schema), InMemory(with_controls(some, schema)), state or {}, {}
    )


@ALL
@settings(max_examples=5)
@given(order=st.permutations(range(9)))
def test_the_order_of_arrival_changes_no_bit(name, order):
    arrived = [sent(9)[place] for place in order]
    first, second = round_of(name, sent(9)), round_of(name, arrived)
    assert same(first.model, second.model)
    assert same(first.state, second.state)
    assert first.excluded == second.excluded


@ALL
def test_the_width_of_a_block_changes_no_bit(name, monkeypatch):
    schema = vector(3 * blocks.CHUNK + 17)
    whole = round_of(name, sent(7, schema), schema)
    monkeypatch.setattr(blocks, "MAX_WIDTH", blocks.CHUNK)
    assert blocks.width(7) == blocks.CHUNK
    assert same(whole.model, round_of(name, sent(7, schema), schema).model)


@ALL
def test_clients_that_send_the_same_and_count_alike_are_as_one(name):
    change = {"x": np.array([0.25, -1.5])}
    alike = [Sent(f"c{i}", change, 10, 1.0, 1, i % 2) for i in range(8)]
    one = round_of(name, alike, vector(2))
    for key, value in given_model(name, vector(2)).items():
        moved = one.model[key] - value
        if name in {"fedadam", "fedyogi", "fedadagrad"}:
            assert (np.sign(moved) == [1, -1]).all()
        else:
            rate = named(name).defaults["rate"]
            # q-FedAvg with q = 1 steps by L F change L / (L^2 |change|^2 + L F)
            scale = 10 / (10 * (0.25**2 + 1.5**2) + 1) / 10 if name == "q_fedavg" else 1
            assert moved == pytest.approx(rate * scale * change["x"], rel=1e-9)


@ALL
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_model_and_state_keep_the_models_dtype_and_shapes(name, dtype):
    schema = tuple(TensorSpec(spec.name, spec.section, spec.shape, dtype) for spec in SCHEMA)
    done = round_of(name, sent(7, schema), schema)
    again = round_of(name, sent(7, schema), schema, done.state)
    given_ = given_model(name, schema)
    assert {key: (a.shape, a.dtype) for key, a in again.model.items()} == {
        key: (a.shape, a.dtype) for key, a in given_.items()
    }
    assert {array.dtype for array in again.state.values()} <= {np.dtype(dtype)}
    if name != "clustered":
        check_tensors(schema, again.model)


@ALL
def test_nothing_that_was_given_is_changed(name):
    model, updates, before = given_model(name), with_controls(sent(7)), given_model(name)
    sums = [array.copy() for one in updates for array in one.change.values()]
    state = dict(round_of(name, sent(7)).state)
    kept = {key: array.copy() for key, array in state.items()}
    named(name).aggregate(SCHEMA, model, InMemory(updates), state, {})
    assert same(model, before)
    assert same(state, kept)
    after = [array for one in updates for array in one.change.values()]
    assert all((a == b).all() for a, b in zip(sums, after, strict=True))


@ALL
def test_no_update_is_nothing_to_aggregate(name):
    with pytest.raises(Refusal, match="no update to aggregate"):
        round_of(name, [])


@ALL
def test_what_needs_each_update_refuses_their_mean(name):
    strategy: Strategy = named(name)
    if strategy.individual:
        with pytest.raises(Refusal, match=f"{name} needs each update"):
            strategy.step(SCHEMA, drawn(1), drawn(2), {}, {})
    else:
        assert strategy.step(SCHEMA, drawn(1), drawn(2), {}, {}).model.keys() == drawn(1).keys()


class Streamed:
    """Updates of one large tensor that are made when they are read."""

    clients = ("a", "b", "c", "d")
    samples = (1, 2, 3, 4)
    steps = groups = (1, 1, 1, 1)
    losses = (1.0, 1.0, 1.0, 1.0)

    def block(self, _tensor, start, stop):
        return np.arange(1.0, 5.0)[:, None] * np.arange(start, stop)


def test_beside_the_model_given_one_model_and_a_few_blocks_are_in_memory():
    size = 1 << 20
    schema = (TensorSpec("x", "personality_evolutions", (size,)),)
    model = {"x": np.zeros(size, "float32")}
    tracemalloc.start()
    try:
        named("fedavg").aggregate(schema, model, Streamed(), {}, {})
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 * model["x"].nbytes + 2 * 4 * 8 * blocks.MAX_WIDTH


def test_a_client_that_reports_twice_is_refused():
    with pytest.raises(Refusal, match="'c000' reports twice"):
        InMemory([*sent(3), *sent(1)])
