"""Version vectors are a lattice: join and meet, with dominance as their order."""

from hypothesis import given
from hypothesis import strategies as st

from domain.causality.version_vector import compare, dominates, join, meet

vectors = st.dictionaries(st.sampled_from("abc"), st.integers(1, 3), max_size=3)
EVENTS = [(node, counter) for node in "abc" for counter in (1, 2, 3)]


def known(vector):
    """What a vector stands for: the events themselves."""
    return {(node, counter) for node, counter in EVENTS if counter <= vector.get(node, 0)}


@given(vectors, vectors)
def test_dominance_is_inclusion_of_what_is_known(one, other):
    assert dominates(one, other) == (known(one) >= known(other))


@given(vectors, vectors)
def test_join_knows_what_either_knows_and_meet_what_both_do(one, other):
    assert known(join(one, other)) == known(one) | known(other)
    assert known(meet(one, other)) == known(one) & known(other)


@given(vectors, vectors, vectors)
def test_join_and_meet_are_commutative_associative_idempotent_and_absorb(a, b, c):
    for combine in (join, meet):
        assert combine(a, b) == combine(b, a)
        assert combine(a, combine(b, c)) == combine(combine(a, b), c)
        assert combine(a, a) == a
    assert join(a, meet(a, b)) == a == meet(a, join(a, b))


@given(vectors, vectors)
def test_two_vectors_are_equal_ordered_or_concurrent(one, other):
    expected = {
        (True, True): "equal",
        (True, False): "after",
        (False, True): "before",
        (False, False): "concurrent",
    }[known(one) >= known(other), known(one) <= known(other)]
    assert compare(one, other) == expected


@given(vectors, vectors)
def test_nothing_is_changed_in_place(one, other):
    before = dict(one), dict(other)
    join(one, other)
    meet(one, other)
    assert (one, other) == before


def test_a_vector_that_holds_the_other_is_returned_itself():
    small, large = {"a": 1}, {"a": 2, "b": 1}
    assert join(small, large) is large
    assert join(large, small) is large
    assert dominates(small, small)
