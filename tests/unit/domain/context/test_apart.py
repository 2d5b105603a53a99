"""The quick merge of two sides gives what the three-way merge gives, or leaves it to that one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.context.canonical import canonical
from domain.context.rules.apart import edited_apart
from domain.context.rules.three_way import Merge

values = st.sampled_from(
    [0, 1, True, 1.0, 0.0, -0.0, None, "x", "two words", "two others", [1], [True], {"a": 1}, {"a": 1.0}]
)
objects = st.dictionaries(st.sampled_from(["p", "q", "r/s", "~", "start", "end"]), values, max_size=5)


@given(objects, objects, objects)
def test_it_is_the_three_way_merge_wherever_it_answers(base, one, other):
    one, other = base | one, base | other  # else nearly every pair is left to the other merge
    merge = Merge()
    merged = merge.values(base, [one, other])
    quick = edited_apart(base, one, other)
    if quick is not None:
        assert not merge.contradictions
        assert canonical(quick[0]) == canonical(merged)
        assert quick[1] == tuple(sorted(merge.preserved))


@pytest.mark.parametrize(
    ("one", "other", "merged"),
    [
        ({"a": 1, "b": [1]}, {"a": 0, "b": [2]}, {"a": 1, "b": [2]}),
        ({"a": True, "b": [1]}, {"a": 0, "b": [1], "/": 1}, {"a": True, "b": [1], "/": 1}),
        ({"a": 0, "b": [1]}, {"a": 0, "b": [1]}, {"a": 0, "b": [1]}),
        ({"a": False, "b": [1]}, {"a": 0, "b": [1.0]}, {"a": False, "b": [1.0]}),
        ({"a": 0}, {"a": 0, "b": [1]}, None),  # b is gone
        ({"a": 1, "b": [1]}, {"a": 1, "b": [1]}, None),  # alike, but by both
        ({"a": 0, "b": [1], "c": "a text"}, {"a": 0, "b": [1], "d": "a text"}, None),
        ({"a": 0, "b": [1], "start": 1}, {"a": 0, "b": [1], "end": 1}, None),
    ],
)
def test_it_answers_where_each_side_changed_fields_of_its_own(one, other, merged):
    found = edited_apart({"a": 0, "b": [1]}, one, other)
    assert canonical(found and found[0]) == canonical(merged)
    assert found is None or found[1] == tuple(sorted("/" + key.replace("/", "~1") for key in found[0]))
