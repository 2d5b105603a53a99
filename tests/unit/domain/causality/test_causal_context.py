"""A causal context is a set of dots in one normal form: held against plain sets."""

from hypothesis import given
from hypothesis import strategies as st

from domain.causality.causal_context import (
    EMPTY,
    CausalContext,
    Dot,
    add,
    covers,
    dominates,
    join,
    meet,
    next_dot,
    normal,
)

DOTS = [Dot(node, counter) for node in "abc" for counter in range(1, 6)]
sets = st.frozensets(st.sampled_from(DOTS))


def context(dots):
    return normal({}, dots)


def dots_of(known):
    return {dot for dot in DOTS if covers(known, dot)}


@given(sets)
def test_a_context_covers_its_dots_and_no_other(dots):
    assert dots_of(context(dots)) == dots


@given(sets, sets)
def test_equal_sets_are_equal_contexts_however_they_came_about(one, other):
    joined = join(context(one), context(other))
    grown = context(one)
    for dot in other:
        grown = add(grown, dot)
    assert joined == grown == context(one | other)


@given(sets, sets)
def test_meet_is_intersection_and_dominance_inclusion(one, other):
    assert meet(context(one), context(other)) == context(one & other)
    assert dominates(context(one), context(other)) == (one >= other)


@given(sets, sets, sets)
def test_join_and_meet_are_commutative_associative_and_idempotent(a, b, c):
    a, b, c = context(a), context(b), context(c)
    for combine in (join, meet):
        assert combine(a, b) == combine(b, a)
        assert combine(a, combine(b, c)) == combine(combine(a, b), c)
        assert combine(a, a) == a


@given(sets, st.sampled_from("abc"))
def test_the_next_dot_of_a_node_is_new_and_past_all_of_its_own(dots, node):
    dot = next_dot(context(dots), node)
    assert dot.node == node
    assert all(other.counter < dot.counter for other in dots if other.node == node)
    assert dot.counter == 1 or Dot(node, dot.counter - 1) in dots


def test_a_dot_that_comes_before_its_predecessor_claims_nothing_about_it():
    known = add(EMPTY, Dot("a", 2))
    assert known == CausalContext({}, frozenset({Dot("a", 2)}))
    assert not covers(known, Dot("a", 1))
    assert add(known, Dot("a", 1)) == CausalContext({"a": 2})


def test_a_dot_that_is_known_changes_nothing():
    known = context({Dot("a", 1), Dot("b", 3)})
    assert add(known, Dot("a", 1)) is known
    assert add(known, Dot("b", 3)) is known


def test_of_two_plain_contexts_the_larger_is_returned_itself():
    small, large = CausalContext({"a": 1}), CausalContext({"a": 2})
    assert join(small, large) is large
    assert join(large, small) is large
    assert join(CausalContext({"a": 1}), CausalContext({"b": 1})) == CausalContext({"a": 1, "b": 1})
