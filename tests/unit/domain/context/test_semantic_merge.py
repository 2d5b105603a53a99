"""A three-way merge keeps every change that no other contradicts, and none that one does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.context.canonical import canonical
from domain.context.rules.conflict import between
from domain.context.rules.registry import resolve
from domain.context.rules.three_way import ABSENT, Merge
from tests.unit.domain.context.given import deliveries, wrote

leaves = st.sampled_from([0, 1, True, 1.0, None, "x", [1]])
objects = st.recursive(
    st.dictionaries(st.sampled_from("pqr"), leaves, max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("pqr"), leaves | inner, max_size=3),
    max_leaves=5,
)


def flat(value, at=""):
    """An object as its leaves by path; an empty object is a leaf."""
    if isinstance(value, dict) and value:
        return {k: v for key, inner in value.items() for k, v in flat(inner, f"{at}/{key}").items()}
    return {at: canonical(value)}


def merged(base, *sides):
    merge = Merge()
    value = merge.values(base, sides)
    return ABSENT if merge.contradictions else value


def semantic(base, *values, **fields):
    known = [] if base is ABSENT else [wrote("eu:1", base)]
    seen = "eu:1" if known else ""
    writes = [wrote(f"n{place}:1", value, seen=seen) for place, value in enumerate(values)]
    return resolve(between(writes, rule="semantic_merge", known=known, **fields))


@given(objects, st.lists(objects, min_size=1, max_size=4), st.data())
def test_order_and_number_of_the_sides_make_no_difference(base, sides, data):
    there, again = Merge(), Merge()
    one = there.values(base, sides)
    other = again.values(base, data.draw(deliveries(sides)))
    assert there.contradictions == again.contradictions
    if not there.contradictions:
        assert canonical(one) == canonical(other)
        assert sorted(there.preserved) == sorted(again.preserved)


@given(objects, objects, objects, objects)
def test_grouping_the_sides_makes_no_difference_where_nothing_contradicts(base, a, b, c):
    together = merged(base, a, b, c)
    first = merged(base, a, b)
    if together is not ABSENT:
        assert first is not ABSENT
        assert canonical(merged(base, first, c)) == canonical(together)
    elif first is not ABSENT and merged(base, b, c) is not ABSENT and merged(base, a, c) is not ABSENT:
        assert merged(base, first, c) is ABSENT


@given(objects, objects)
def test_who_changed_nothing_changes_nothing(base, side):
    assert canonical(merged(base, base, side)) == canonical(side)
    assert canonical(merged(base, side, side)) == canonical(side)


@given(objects, objects, objects)
def test_each_leaf_of_a_merge_is_someones_and_each_undisputed_change_is_in_it(base, one, other):
    value = merged(base, one, other)
    if value is ABSENT:
        return
    result, was, ours, theirs = flat(value), flat(base), flat(one), flat(other)
    for path, leaf in result.items():
        assert leaf in (ours.get(path), theirs.get(path)) or leaf == "{}"
    for side, against in ((ours, theirs), (theirs, ours)):
        for path, leaf in side.items():
            if was.get(path) != leaf and path in against and leaf != "{}":
                assert result.get(path) == leaf


def test_changes_of_different_fields_are_all_kept():
    base = {"mood": "calm", "topic": "weather", "gone": 1, "deep": {"a": 1, "b": 1}}
    one = {"mood": "glad", "topic": "weather", "gone": 1, "deep": {"a": 2, "b": 1}, "new": [1]}
    other = {"mood": "calm", "topic": "travel", "deep": {"a": 1, "b": 1, "c": {"d": None}}}
    resolution = semantic(base, one, other)
    assert resolution.merged_context == {
        "mood": "glad",
        "topic": "travel",
        "deep": {"a": 2, "b": 1, "c": {"d": None}},
        "new": [1],
    }
    assert resolution.resolution == "semantic_merge"
    assert resolution.confidence == 1.0
    assert resolution.preserved_elements == ("/deep/a", "/deep/b", "/deep/c", "/mood", "/new", "/topic")


def test_three_sides_with_a_field_each_are_merged_at_once():
    assert semantic({"z": 0}, {"z": 0, "p": 1}, {"z": 0, "q": 2}, {"z": 0, "r": 3}).merged_context == {
        "z": 0,
        "p": 1,
        "q": 2,
        "r": 3,
    }


def test_without_an_ancestor_both_began_from_nothing():
    resolution = semantic(ABSENT, {"name": "x", "colour": "red"}, {"name": "x", "size": 3})
    assert resolution.merged_context == {"name": "x", "colour": "red", "size": 3}
    assert resolution.preserved_elements == ("/colour", "/name", "/size")


def test_the_same_change_on_both_sides_is_one_change():
    assert semantic({"a": 1}, {"a": 2, "b": 1}, {"a": 2}).merged_context == {"a": 2, "b": 1}
    assert semantic({"a": 1}, {"b": 1}, {"c": 1}).merged_context == {"b": 1, "c": 1}


def test_a_contradiction_names_its_fields_and_what_would_be_kept():
    base = {"a": 1, "b/c": {"~": 1}, "d": 1}
    resolution = semantic(base, {"a": 2, "b/c": {"~": 2}, "d": 1, "e": 5}, {"a": 2, "b/c": {"~": 3}, "d": 1})
    assert resolution.resolution is None
    assert resolution.merged_context is None
    assert resolution.contradictions == ("/b~1c/~0",)
    assert resolution.preserved_elements == ("/a", "/d", "/e")
    assert resolution.confidence == 0.75


def test_a_field_removed_by_one_and_changed_by_another_contradicts():
    assert semantic({"a": 1}, {}, {"a": 2}).contradictions == ("/a",)
    assert semantic({"a": {"b": 1}}, {}, {"a": {"b": 2}}).contradictions == ("/a",)
    assert semantic({"a": {"b": 1}}, {"a": 5}, {"a": {"b": 2}}).contradictions == ("/a",)
    assert semantic({"a": 5}, {"a": {"x": 1}}, {"a": {"y": 1}}).contradictions == ("/a",)
    assert semantic({}, {"a": {"p": 1}}, {"a": {"q": 1}}).merged_context == {"a": {"p": 1, "q": 1}}


def test_fields_that_hang_together_may_be_changed_together_or_alike():
    base = {"dose": 5, "unit": "mg", "note": ""}
    assert semantic(base, {"dose": 1, "unit": "g", "note": ""}, {**base, "note": "x"}).contradictions == (
        "/note",
        "/unit",
    )
    assert (
        semantic(base, {"dose": 1, "unit": "g", "note": ""}, {"dose": 1, "unit": "g", "note": "x"}).confidence
        == 1
    )
    dates = {"start_date": 1, "end_page": 1, "end_date": 1}
    assert semantic(dates, {**dates, "start_date": 2}, {**dates, "end_page": 2}).confidence == 1
    assert semantic(dates, {**dates, "start_date": 2}, {**dates, "end_date": 2}).contradictions == (
        "/end_date",
        "/start_date",
    )


def test_an_ancestor_that_is_not_at_hand_needs_a_decision_and_is_named():
    writes = [wrote("eu:2", {"a": 1}, seen="ap:3 eu:1"), wrote("us:1", {"b": 1}, seen="ap:3")]
    resolution = resolve(between(writes, rule="semantic_merge"))
    assert resolution.resolution is None
    assert "one of ap:3" in resolution.reason
    found = resolve(between(writes, rule="semantic_merge", known=[wrote("ap:3", {}, seen="ap:2")]))
    assert found.merged_context == {"a": 1, "b": 1}
    alike = [wrote("eu:2", [1], seen="ap:3"), wrote("us:1", [1], seen="ap:3")]
    assert resolve(between(alike, rule="semantic_merge")).merged_context == [1]


BASE = "The harbour was founded by monks.\nShips from Riga call here. Fish is sold at dawn."
EDITS = (BASE.replace("The harbour", "The old harbour"), BASE.replace("Fish", "Fresh fish"))
BOTH = EDITS[0].replace("Fish", "Fresh fish")


def test_edits_of_one_text_in_sentences_apart_are_given_to_the_text_merge():
    asked = []

    def merge_text(base, edits):
        asked.append((base, edits))
        return BOTH

    expected = [(BASE, tuple(sorted(EDITS)))]
    assert semantic(BASE, *EDITS, merge_text=merge_text)[:4] == ("semantic_merge", BOTH, 1.0, ("",))
    assert asked == expected
    fields = [{"text": text, "n": 1} for text in EDITS]
    assert semantic({"text": BASE}, *fields, merge_text=merge_text).merged_context == {"text": BOTH, "n": 1}
    assert asked == expected * 2


@pytest.mark.parametrize("wrong", ["", BASE, EDITS[0], BOTH + " More.", BOTH.replace("old", "old-ish")])
def test_what_a_text_merge_drops_adds_or_mixes_up_is_not_taken(wrong):
    assert semantic(BASE, *EDITS, merge_text=lambda *_: wrong).contradictions == ("",)


def test_without_a_text_merge_texts_contradict_each_other():
    assert semantic(BASE, *EDITS).contradictions == ("",)


def test_a_merged_text_is_compared_with_the_texts_of_other_fields():
    sides = [
        {"text": EDITS[0]},
        {"text": EDITS[1]},
        {"text": BASE, "log": "The old harbour was founded by merchants."},
    ]
    resolution = semantic({"text": BASE}, *sides, merge_text=lambda *_: BOTH)
    assert resolution.resolution is None
    assert resolution.contradictions == ("/log", "/text")


def test_one_side_may_say_much_the_same_in_two_fields():
    one = {"a": "The valve is open now.", "b": "The valve is open."}
    assert semantic({}, one, {"c": "The valve is shut."}).contradictions == ("/a", "/b", "/c")
    assert semantic({}, one, {"c": "Lunch was served."}).confidence == 1
    assert semantic({}, {"a": "The valve is open."}, {"b": "The valve is open."}).confidence == 1
    assert semantic({}, {"a": "valve open"}, {"b": "x y"}).confidence == 1
