"""Groups of a cohort, and rules over their means."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.learning.strategies.group_means import GroupSum, group_means, members, name_of, partition
from domain.learning.strategies.registry import named
from domain.refusal import Refusal
from tests.unit.domain.learning.strategies.rounds import vector

COHORT = [f"node-{i}" for i in range(23)]


@given(st.permutations(COHORT), st.integers(1, 11), st.integers(0, 2**53))
def test_groups_are_disjoint_even_and_the_same_whatever_the_order(cohort, groups, seed):
    found = partition(cohort, groups, seed)
    assert sorted(client for group in found for client in group) == sorted(COHORT)
    assert max(map(len, found)) - min(map(len, found)) <= 1
    assert min(map(len, found)) >= 2
    assert found == partition(COHORT, groups, seed)


def test_another_seed_draws_other_groups():
    assert partition(COHORT, 5, 1) != partition(COHORT, 5, 2)


@pytest.mark.parametrize("groups", [0, 12])
def test_a_group_of_less_than_two_is_refused(groups):
    with pytest.raises(Refusal, match=f"{groups} groups of 23 clients: each needs two"):
        partition(COHORT, groups, 1)


def sums(groups, changes, samples):
    return [
        GroupSum(
            {"x": sum(samples[c] * changes[c] for c in group)}, float(sum(samples[c] for c in group)), group
        )
        for group in groups
    ]


def test_krum_over_group_means_leaves_out_the_group_of_the_liar():
    generator = np.random.default_rng(1)
    changes = {client: 1 + generator.normal(size=4) / 10 for client in COHORT}
    changes["node-7"] = np.full(4, -500.0)
    known = sums(partition(COHORT, 7, 3), changes, dict.fromkeys(COHORT, 10))
    settings = {"groups": 7, "byzantine": 1}
    named("multi_krum").check(settings, len(COHORT))
    done = named("multi_krum").aggregate(vector(4), {"x": np.zeros(4)}, group_means(known), {}, settings)
    assert done.model["x"] == pytest.approx(np.ones(4), abs=0.1)
    (liars,) = [group.clients for group in known if "node-7" in group.clients]
    assert members(done.excluded, known) == liars


def test_a_mean_is_the_sum_over_the_weight():
    found = group_means([GroupSum({"x": np.array([6.0, 3.0])}, 1.5, ("a", "b"))])
    assert found.block("x", 0, 2).tolist() == [[4.0, 2.0]]
    assert (found.clients, found.samples) == ([name_of(0)], [2])


def test_a_group_without_weight_has_no_mean():
    with pytest.raises(Refusal, match=r"group\.00000 weighs 0"):
        group_means([GroupSum({"x": np.zeros(1)}, 0.0, ("a", "b"))])


def test_names_of_groups_sort_as_their_numbers():
    assert sorted(name_of(i) for i in range(200)) == [name_of(i) for i in range(200)]
