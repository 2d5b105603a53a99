import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.learning.shards import needed, shards

clients = st.sets(st.integers(0, 999).map("c{}".format), max_size=30)


@given(clients, st.integers(0, 2**53), st.integers(1, 12))
def test_every_client_is_in_one_shard_and_shards_are_as_few_and_even_as_can_be(members, seed, most):
    parts = shards(sorted(members), seed, most)
    assert sorted(client for part in parts for client in part) == sorted(members)
    assert len(parts) == -(-len(members) // most)
    sizes = {len(part) for part in parts}
    assert not sizes or (max(sizes) <= most and max(sizes) - min(sizes) <= 1)
    assert all(list(part) == sorted(part) for part in parts)


@given(clients, st.randoms())
def test_the_order_given_does_not_matter(members, random):
    shuffled = random.sample(sorted(members), len(members))
    assert shards(shuffled, 7, 5) == shards(sorted(members), 7, 5)


def test_another_seed_makes_other_neighbours():
    members = [f"c{n}" for n in range(1000)]
    assert [len(part) for part in shards(members, 1)] == [100] * 10
    assert shards(members, 1) != shards(members, 2)
    assert shards(members, 1) != tuple(tuple(sorted(members[n::10])) for n in range(10))


@pytest.mark.parametrize(
    ("share", "count", "least"),
    [
        (2 / 3, 100, 67),
        (2 / 3, 99, 67),
        (2 / 3, 3, 3),
        (0.51, 100, 52),
        (1, 10, 10),
        (0.6, 5, 4),
        (0.5001, 2, 2),
    ],
)
def test_more_than_the_share_are_needed_or_all(share, count, least):
    assert needed(share, count) == least
