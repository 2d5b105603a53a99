import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.learning.fixed_point import FixedPoint, flatten, unflatten, within_range
from domain.learning.tensors import TensorSpec
from domain.refusal import Refusal

numbers = st.lists(st.floats(-1, 1), min_size=1, max_size=6)


@given(numbers, st.integers(1, 50), st.integers(3, 200), st.sampled_from([0.0, 1.0]))
def test_a_sum_is_off_by_at_most_half_a_step_for_each_update_or_one_with_noise(
    values, weight, clients, noise
):
    fixed = FixedPoint(clip=1.0, cap=50, clients=clients, noise=noise)
    given_values = np.array(values)
    words = np.zeros(len(values) + 1, np.uint32)
    for _ in range(clients):
        words += fixed.encode(given_values, weight)
    total, weights = fixed.decode(words)
    assert weights == clients * weight
    bound = clients * fixed.step * (1 if noise else 0.5)
    assert np.abs(total - clients * weight * given_values).max() <= bound * (1 + 1e-6)


@given(numbers, st.integers(1, 50), st.integers(3, 200), st.sampled_from([0.0, 1.0]))
def test_whatever_clients_add_up_to_can_be_their_sum_and_what_is_beyond_cannot(
    values, weight, clients, noise
):
    fixed = FixedPoint(clip=1.0, cap=50, clients=clients, noise=noise)
    for one in (np.array(values), np.ones(3), -np.ones(3)):
        words = np.zeros(one.size + 1, np.uint32)
        for _ in range(clients):
            words += fixed.encode(one, weight)
        assert fixed.can_be(*fixed.decode(words), clients)
    heavy = clients * weight + 12 * noise * 50 + 2 * clients * fixed.step
    for total in (heavy, -heavy, np.nan):
        assert not fixed.can_be(np.array([0.0, total]), clients * weight, clients)
    for wrong in (0, clients - 1, clients * 50 + 1):
        assert not fixed.can_be(np.zeros(1), wrong, clients)
    assert fixed.can_be(np.zeros(0), clients, clients)


@given(numbers, st.integers(1, 50))
def test_no_value_grows_on_the_way_where_noise_must_hide_it(values, weight):
    fixed = FixedPoint(clip=1.0, cap=50, clients=9, noise=1.0)
    total, _ = fixed.decode(fixed.encode(np.array(values), weight))
    assert (np.abs(total) <= np.abs(np.array(values)) * weight * (1 + 2**-50)).all()


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("noise", [0.0, 1.0, 30.0])
def test_everybody_at_the_clip_and_twelve_deviations_of_noise_do_not_wrap(sign, noise):
    fixed = FixedPoint(clip=0.1, cap=7, clients=100, noise=noise)
    words = np.zeros(2, np.uint32)
    for _ in range(100):
        words += fixed.encode(np.array([sign * 0.1]), 7)
    words[:1] += np.array([int(sign * 12 * noise * fixed.steps)]).astype(np.uint32)
    total, _ = fixed.decode(words)
    assert total[0] == pytest.approx(sign * 0.7 * (100 + 12 * noise), rel=1e-6)


def test_steps_are_as_fine_as_float32_for_a_hundred_clients():
    assert FixedPoint(clip=1.0, cap=1, clients=100).steps == (2**31 - 1) // 100 > 2**24


@pytest.mark.parametrize("cap", [0, 2**31 // 100 + 1])
def test_weights_that_cannot_be_added_up_are_refused(cap):
    with pytest.raises(
        Refusal, match=r"weight_cap: .* is outside 1 to 21474836, what 100 clients can add up"
    ):
        FixedPoint(clip=1.0, cap=cap, clients=100)


def test_noise_that_leaves_no_steps_is_refused():
    with pytest.raises(Refusal, match=r"noise of 1e\+06 times the clip leaves 178 steps below it, and 256"):
        FixedPoint(clip=1.0, cap=1, clients=100, noise=1e6)


@pytest.mark.parametrize("value", [1.0000001, -2.0, float("nan"), float("inf")])
def test_a_value_beyond_the_clip_is_refused(value):
    with pytest.raises(Refusal, match="update: holds a value beyond 1, the clip"):
        FixedPoint(clip=1.0, cap=1, clients=3).encode(np.array([0.5, value]), 1)


@pytest.mark.parametrize("weight", [0, 6])
def test_a_weight_beyond_the_cap_is_refused(weight):
    with pytest.raises(Refusal, match=f"weight: {weight} is outside 1 to 5"):
        FixedPoint(clip=1.0, cap=5, clients=3).encode(np.array([0.5]), weight)


@given(st.lists(st.floats(-1e6, 1e6), max_size=6), st.floats(1e-3, 1e3))
def test_what_is_beyond_the_range_is_scaled_down_as_a_whole(values, clip):
    given_values = np.array(values)
    found = within_range(given_values, clip)
    largest = max(map(abs, values), default=0.0)
    if largest <= clip:
        assert found is given_values
    else:
        assert np.abs(found).max() <= clip
        assert found == pytest.approx(given_values * (clip / largest), rel=1e-9)


def test_tensors_become_one_vector_in_the_order_of_the_schema_and_back():
    schema = (TensorSpec("a", "context_patterns", (2, 2)), TensorSpec("b", "context_patterns", (), "float64"))
    tensors = {"b": np.array(9.0), "a": np.array([[1, 2], [3, 4]], np.float32)}
    values = flatten(schema, tensors)
    assert values.tolist() == [1, 2, 3, 4, 9]
    back = unflatten(schema, values)
    assert {name: array.tolist() for name, array in back.items()} == {"a": [[1, 2], [3, 4]], "b": 9}
    assert unflatten((), flatten((), {})) == {}
