"""Laws of clipping and of the grid: no update moves a sum by more than the norm."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from domain.learning.clipping import (
    Quantile,
    clip,
    from_grid,
    grid_step,
    is_within,
    l2,
    to_grid,
)
from domain.refusal import Refusal

NUMBERS = st.floats(-1e30, 1e30, allow_nan=False)
CHANGES = st.dictionaries(
    st.sampled_from(["a", "b", "c"]),
    arrays(np.float64, array_shapes(max_dims=2, max_side=4), elements=NUMBERS),
)
NORMS = st.floats(1e-6, 1e6)
HOW = st.sampled_from(["flat", "per_tensor", "adaptive"])


def exact_square(change):
    return sum(Fraction(float(x)) ** 2 for array in change.values() for x in array.ravel())


@given(CHANGES, NORMS, HOW)
def test_a_clipped_change_is_within_the_norm_to_the_last_bit(change, norm, how):
    assert exact_square(clip(change, norm, how)) <= Fraction(norm) ** 2


@given(CHANGES, NORMS, HOW)
def test_clipping_twice_is_clipping_once(change, norm, how):
    once = clip(change, norm, how)
    again = clip(once, norm, how)
    assert all((once[name] == again[name]).all() for name in change)


@given(CHANGES, NORMS)
def test_what_is_well_within_stays_as_it_is(change, norm):
    small = clip(change, norm / 2, "flat")
    same = clip(small, norm, "flat")
    assert all((small[name] == same[name]).all() for name in change)


@given(CHANGES, NORMS)
def test_flat_clipping_keeps_the_direction(change, norm):
    clipped = clip(change, norm, "flat")
    inner = sum(float((change[name] * clipped[name]).sum()) for name in change)
    assert inner >= 0
    assert math.isclose(
        inner, l2(list(change.values())) * l2(list(clipped.values())), rel_tol=1e-9, abs_tol=0
    )


@given(CHANGES, NORMS, st.floats(1e-3, 1e3), HOW)
def test_the_grid_never_makes_a_clipped_change_larger(change, norm, noise, how):
    step = grid_step(noise * norm, norm)
    steps = to_grid(clip(change, norm, how), step)
    assert sum(int(k) ** 2 for array in steps.values() for k in array.ravel()) * Fraction(step) ** 2 <= (
        Fraction(norm) ** 2
    )


@given(CHANGES, NORMS)
def test_the_grid_is_left_by_less_than_one_step(change, norm):
    clipped = clip(change, norm, "flat")
    step = grid_step(norm, norm)
    back = from_grid(to_grid(clipped, step), step)
    assert all((np.abs(back[name] - clipped[name]) < step).all() for name in change)


def test_one_tensor_of_many_zeros_cannot_take_the_share_of_others():
    change = {"a": np.array([100.0, 0.0]), "b": np.array([0.001])}
    clipped = clip(change, 1.0, "per_tensor")
    assert math.isclose(float(clipped["a"][0]), 1 / math.sqrt(2), rel_tol=1e-8)
    assert float(clipped["b"][0]) == 0.001


def test_steps_are_powers_of_two_and_a_million_to_the_noise():
    step = grid_step(0.3, 1.0)
    assert math.frexp(step)[0] == 0.5
    assert 2**20 <= 0.3 / step < 2**21
    assert grid_step(1e-30, 1.0) == 2.0**-40


def test_a_change_that_was_clipped_does_not_count_as_within_though_it_went_by_float32():
    change = {"a": np.linspace(-3, 3, 50)}
    sent = {"a": clip(change, 1.0, "adaptive")["a"].astype(np.float32)}
    assert not is_within(sent, 1.0)
    assert is_within({"a": np.array([0.5])}, 1.0)
    assert is_within({}, 1.0)


def test_the_norm_follows_the_median_as_in_the_paper():
    """Andrew et al. 2021: C <- C exp(-eta (b - gamma)); here eta 0.2, gamma 0.5."""
    quantile = Quantile()
    assert quantile.next_norm(1.0, 10, 20) == 1.0
    assert math.isclose(quantile.next_norm(1.0, 20, 20), math.exp(-0.1))
    assert math.isclose(quantile.next_norm(2.0, -5, 20), 2 * math.exp(0.1))  # noise below nobody


def test_the_norm_comes_to_the_quantile_of_the_norms():
    norms, norm = np.linspace(0.1, 10, 101), 0.01
    for _ in range(150):
        norm = Quantile(share=0.8).next_norm(norm, int((norms <= norm).sum()), 101)
    assert math.isclose(norm, float(np.quantile(norms, 0.8)), rel_tol=0.05)


@given(st.floats(0.3, 2.0), st.integers(50, 10_000))
def test_sum_and_count_together_cost_what_the_sum_alone_would_have(noise, clients):
    """Two Gaussian mechanisms on one client: 1 / z^2 adds up; the count's sensitivity is a half."""
    quantile = Quantile()
    split = quantile.split(noise, clients)
    count = quantile.deviation(clients) / 0.5
    assert math.isclose((split**-2 + count**-2) ** -0.5, noise, rel_tol=1e-9)
    assert split > noise


def test_a_count_of_few_clients_that_costs_more_than_all_is_refused():
    with pytest.raises(Refusal, match="10 clients costs more than the noise 1 allows; ask more than 10"):
        Quantile().split(1.0, 10)
    assert Quantile().split(1.0, 11) > 1
