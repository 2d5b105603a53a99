"""One text for each value, and what may be a value at all."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.context import canonical as canonical_module
from domain.context.canonical import MAX_VALUE_BYTES, canonical, check_value, is_plain, same
from domain.refusal import Refusal
from domain.strict_json import check_text

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.sampled_from([0.0, -0.0, 1.0, 0.5, 1e300])
    | st.text(max_size=3)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
)


@given(values)
def test_a_value_reads_back_from_its_text_to_the_same_text(value):
    text = canonical(value)
    assert canonical(json.loads(text)) == text


@given(values, values)
def test_values_are_the_same_if_and_only_if_their_texts_are(one, other):
    assert same(one, other) == (canonical(one) == canonical(other))
    assert same(one, json.loads(canonical(one)))


def test_the_order_in_which_keys_were_written_is_forgotten():
    assert canonical({"b": 1, "a": [1, 1.0, True, None, "é"]}) == '{"a":[1,1.0,true,null,"é"],"b":1}'
    assert canonical({"b": 1, "a": 2}) == canonical({"a": 2, "b": 1})


def test_python_takes_for_equal_what_json_tells_apart():
    assert not same(1, True)
    assert not same(1, 1.0)
    assert not same([0], [False])
    assert not same(0.0, -0.0)
    assert same({"a": [1.5]}, {"a": [1.5]})


@given(values)
def test_what_json_can_hold_is_taken(value):
    if "\0" not in canonical(value) and "\\u0000" not in canonical(value):
        check_value(value)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (float("nan"), "value: holds nan"),
        ([float("inf")], r"value\[0\]: holds inf"),
        ({"a": {"b": 2**63}}, "value.a.b: holds a whole number of more than 64 bits"),
        (-(2**63) - 1, "64 bits"),
        ({1: "x"}, "has a key that is no text: 1"),
        ({"a": {1, 2}}, "value.a: holds a set"),
        (b"x", "holds a bytes"),
        ("nul\0", "NUL"),
        ({"a": "\ud800"}, "value.a: holds a lone surrogate"),
    ],
)
def test_what_json_or_a_database_cannot_hold_is_refused_by_its_path(value, problem):
    with pytest.raises(Refusal, match=problem):
        check_value(value)


def test_sixty_four_kibibytes_and_sixty_four_levels_are_the_limits():
    check_value("x" * (MAX_VALUE_BYTES - 2))
    with pytest.raises(Refusal, match="has 65537 bytes as JSON, at most 65536"):
        check_value("x" * (MAX_VALUE_BYTES - 1))
    with pytest.raises(Refusal, match="has 65538 bytes"):
        check_value("é" * (MAX_VALUE_BYTES // 2))
    deep = 0
    for _ in range(64):
        deep = [deep]
    check_value(deep)
    with pytest.raises(Refusal, match="nested deeper than 64"):
        check_value([deep])
    check_value([2**63 - 1, -(2**63)])


ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**65), 2**65)
    | st.floats()
    | st.sampled_from(["", "plain", "\0", "é", "\ud800", (1,), b"x"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["k", "\0", "\ud800", 1]), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(ODD)
def test_the_quick_look_lets_nothing_through_that_the_slow_one_names(value):
    if is_plain(value):
        canonical_module._check(value, "value", 0)
        check_text(value, "value")
