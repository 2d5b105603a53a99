"""Median, trimmed mean, Krum, multi-Krum, Bulyan, geometric median: by hand, and against liars."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.learning.strategies.distances import squared_distances, squared_norms
from domain.learning.strategies.geometric_median import weiszfeld
from domain.learning.strategies.in_memory import InMemory
from tests.unit.domain.learning.strategies.rounds import SCHEMA, result, sent, updates, vector

HONEST = st.lists(st.lists(st.floats(-10, 10), min_size=2, max_size=2), min_size=7, max_size=7)
LIES = st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=2)


@pytest.mark.parametrize(("rows", "middle"), [([[3], [1], [9]], 3), ([[3], [1], [9], [4]], 3.5), ([[2]], 2)])
def test_the_median_of_each_number(rows, middle):
    assert result("median", rows).model["x"] == [middle]


def test_the_median_is_that_of_numpy():
    rows = np.random.default_rng(3).normal(size=(8, 5))
    assert result("median", rows.tolist()).model["x"] == pytest.approx(np.median(rows, axis=0), abs=1e-15)


def test_a_trimmed_mean_leaves_out_both_ends():
    assert result("trimmed_mean", [[100], [1], [2], [6], [-50]], trim=1).model["x"] == [3]


def test_a_trimmed_mean_without_trim_is_the_mean_of_clients_alike():
    rows = np.random.default_rng(4).normal(size=(9, 5))
    found = result("trimmed_mean", rows.tolist(), range(1, 10), trim=0).model["x"]
    assert found == pytest.approx(rows.mean(axis=0), rel=1e-12)


def test_krum_takes_the_update_with_the_nearest_neighbours():
    # n = 5, f = 1: two neighbours each. Scores: 1 + 4, 1 + 1, 1 + 4, 49 + 64, 8281 + 8464 or more.
    found = result("krum", [[0], [1], [2], [9], [100]])
    assert (found.model["x"].tolist(), found.excluded) == ([1], ("c000", "c002", "c003", "c004"))


def test_krum_takes_the_first_of_equals():
    assert result("krum", [[1], [2], [1], [2], [50]], byzantine=1).excluded[0] == "c001"


def test_multi_krum_averages_those_it_keeps_and_counts_them_alike():
    found = result("multi_krum", [[0], [1], [2], [9], [100]], [1, 1, 1, 1, 1000], keep=3)
    assert (found.model["x"].tolist(), found.excluded) == ([1], ("c003", "c004"))
    assert result("multi_krum", [[0], [1], [2], [9], [100]]).model["x"] == [3]  # n - f where keep is 0


def test_bulyan_by_hand():
    # n = 7, f = 1: Krum takes five of those left, then the three values nearest the median are averaged.
    found = result("bulyan", [[0], [1], [2], [3], [4], [5], [1000]])
    assert "c006" in found.excluded
    assert len(found.excluded) == 2
    kept = sorted({0, 1, 2, 3, 4, 5} - {int(client[1:]) for client in found.excluded})
    median = kept[2]
    nearest = sorted(kept, key=lambda value: (abs(value - median), value))[:3]
    assert found.model["x"] == pytest.approx([sum(nearest) / 3])


@settings(max_examples=12)
@given(st.integers(0, 2**32))
def test_bulyan_is_the_papers_text_done_slowly(seed):
    rows = np.random.default_rng(seed).integers(-9, 9, (11, 2)).astype(float)  # f = 2; ties are common
    left, taken = list(range(11)), []
    while len(taken) < 7:
        near = max(1, len(left) - 4)

        def score(i, near=near):
            return sum(sorted(float(((rows[i] - rows[j]) ** 2).sum()) for j in left if j != i)[:near])

        taken.append(min(left, key=lambda i: (score(i), i)))
        left.remove(taken[-1])
    expected = []
    for values in rows[taken].T.tolist():
        median = sorted(values)[3]
        expected.append(sum(sorted(values, key=lambda v: (abs(v - median), v))[:3]) / 3)
    assert result("bulyan", rows.tolist(), byzantine=2).model["x"] == pytest.approx(expected)


def test_the_geometric_median_of_a_right_triangle_sees_every_side_at_120_degrees():
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    point = result("geometric_median", corners.tolist(), iterations=10_000).model["x"]
    pulls = [(corner - point) / np.linalg.norm(corner - point) for corner in corners]
    assert sum(pulls) == pytest.approx([0, 0], abs=1e-6)


def test_the_geometric_median_of_a_line_is_its_median():
    assert result("geometric_median", [[0], [1], [2], [3], [1000]]).model["x"] == pytest.approx([2], abs=1e-3)


def test_a_step_of_weiszfeld_weighs_by_inverse_distance_but_for_what_is_nearer_than_the_smoothing():
    rows = np.array([[0.0], [3.0], [6.0]])
    one = weiszfeld(squared_distances(vector(1), updates(rows.tolist())), 0.5, 1)
    pulls = 1 / np.array([3.0, 0.5, 3.0])
    assert one == pytest.approx(pulls / pulls.sum())


@pytest.mark.parametrize("name", ["median", "trimmed_mean"])
@given(honest=HONEST, lie=LIES, place=st.integers(0, 7))
def test_one_liar_cannot_move_a_number_out_of_the_honest_range(name, honest, lie, place):
    found = result(name, [*honest[:place], lie, *honest[place:]]).model["x"]
    assert (np.min(honest, axis=0) - 1e-9 <= found).all()
    assert (found <= np.max(honest, axis=0) + 1e-9).all()


@settings(max_examples=12)
@given(honest=HONEST, lie=LIES, place=st.integers(0, 7))
def test_one_liar_moves_bulyan_at_most_the_width_of_the_honest_range_out_of_it(honest, lie, place):
    # The median is within; what is averaged is as near to it as n - 4f honest values, a liar's too.
    found = result("bulyan", [*honest[:place], lie, *honest[place:]]).model["x"]
    low, high = np.min(honest, axis=0), np.max(honest, axis=0)
    assert (2 * low - high - 1e-9 <= found).all()
    assert (found <= 2 * high - low + 1e-9).all()


def test_one_liar_moves_the_mean_out_of_the_honest_range():
    assert result("fedavg", [[0], [1], [2], [3], [1000]]).model["x"] > 3


@pytest.mark.parametrize("name", ["krum", "multi_krum"])
def test_liars_far_off_have_no_part(name):
    honest = np.random.default_rng(5).normal(size=(14, 20)).tolist()
    lies = (-50 * np.random.default_rng(6).normal(size=(6, 20))).tolist()
    found = result(name, lies + honest, byzantine=6)
    assert {f"c{i:03}" for i in range(6)} <= set(found.excluded)


@pytest.mark.parametrize("name", ["krum", "multi_krum", "bulyan", "geometric_median", "median"])
def test_an_update_whose_square_no_double_holds_has_no_part(name):
    found = result(name, [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0], [1e200]]).model["x"]
    assert 0 <= found <= 5


@pytest.mark.parametrize("size", [1e10, 1e15, 1e20, 3.4e38, -3.4e38, 1e150, 1.7e308])
@pytest.mark.parametrize("liars", [1, 3])
def test_an_update_as_large_as_a_number_can_be_moves_no_geometric_median_out_of_the_others(size, liars):
    honest = np.random.default_rng(11).normal(size=(7 - liars, 5))
    found = result("geometric_median", [*honest.tolist(), *[[size] * 5] * liars]).model["x"]
    alone = result("geometric_median", honest.tolist()).model["x"]
    assert np.abs(found - alone).max() <= np.ptp(honest)
    assert (honest.min(axis=0) - 1e-3 <= found).all()
    assert (found <= honest.max(axis=0) + 1e-3).all()


def test_updates_all_beyond_measure_from_each_other_have_a_geometric_median():
    found = result("geometric_median", [[1e200], [-1e200], [0.0]]).model["x"]
    assert np.isfinite(found).all()


def test_updates_that_differ_from_a_majority_of_equals_have_their_weight():
    distances = np.array([[0.0, 0, 0, 4], [0, 0, 0, 4], [0, 0, 0, 4], [4, 4, 4, 0]])
    assert weiszfeld(distances, 1e-6, 1)[3] > 0


def test_distances_are_those_of_the_updates_whatever_their_scales():
    rows = np.random.default_rng(7).normal(size=(9, 5000)) * 10.0 ** np.arange(-9, 9, 2)[:, None]
    found = squared_distances(vector(5000), updates(rows.tolist()))
    direct = ((rows[:, None] - rows[None]) ** 2).sum(axis=2)
    assert found == pytest.approx(direct, rel=1e-10)
    assert squared_norms(vector(5000), updates(rows.tolist())) == pytest.approx((rows**2).sum(axis=1))


def test_updates_that_hardly_differ_have_their_true_distance():
    base = np.random.default_rng(8).normal(size=3000)
    rows = np.stack([base, base + 1e-4, base])
    found = squared_distances(vector(3000), updates(rows.tolist()))
    assert found[0, 1] == pytest.approx(3000 * 1e-8, rel=1e-3)  # of squared norms of 3000
    assert found[0, 2] == 0


def test_distances_do_not_depend_on_the_order_of_the_numbers():
    # Every sum over a chunk is exact, so whoever adds in another order has the same bits.
    rows = np.random.default_rng(9).normal(size=(5, 2000))
    mixed = rows[:, np.random.default_rng(10).permutation(2000)]
    schema = vector(2000)
    first, second = (squared_distances(schema, updates(some.tolist())) for some in (rows, mixed))
    assert first.tobytes() == second.tobytes()


def test_updates_of_zeros_have_no_distance():
    assert squared_distances(SCHEMA, InMemory(sent(1))).tolist() == [[0]]
    assert squared_distances(vector(3), updates([[0, 0, 0], [0, 0, 0]])).tolist() == [[0, 0], [0, 0]]
