"""What contradicts is never merged by a rule: not as texts, not in fields, not by a merge of texts."""

import pytest

from domain.context.rules import three_way
from domain.context.rules.conflict import between
from domain.context.rules.registry import CHOSEN, classify, resolve
from tests.unit.domain.context.contradictions import FIELDS, TEXTS
from tests.unit.domain.context.given import wrote

PAIRS = [pair for pairs in TEXTS.values() for pair in pairs]
OBJECTS = [pair for pairs in FIELDS.values() for pair in pairs]
FRAME = "The log begins here. It was a mild winter. Grain was cheap."

texts = pytest.mark.parametrize(("one", "other"), PAIRS)
objects = pytest.mark.parametrize(("one", "other"), OBJECTS)


def greedy(base, edits):
    """A merge of texts that keeps whatever anyone wrote, as a text CRDT does."""
    merged = base
    for edit in edits:
        before, found, after = edit.partition(base)
        merged = before + merged + after if found and base else f"{merged} {edit}"
    return merged


def conflict(one, other, ancestor=None):
    base = [] if ancestor is None else [wrote("eu:1", ancestor)]
    seen = "eu:1" if base else ""
    left, right = wrote("us:1", one, seen=seen), wrote("ap:1", other, seen=seen)
    return between([left, right], rule="semantic_merge", known=base, merge_text=greedy)


def decided(*args):
    return [resolve(conflict(*args), name) for name in (None, "semantic_merge", "ai_mediation")]


def assert_undecided(*args):
    for resolution in decided(*args):
        assert resolution.resolution is None
        assert resolution.merged_context is None
        assert resolution.contradictions
        assert resolution.confidence < 1


def test_there_are_sixty_pairs_of_texts_and_twenty_of_fields():
    assert len(set(PAIRS)) >= 60
    assert len(OBJECTS) >= 20
    assert all(len(pairs) >= 7 for pairs in TEXTS.values())


@texts
def test_contradicting_texts_are_not_merged_whatever_their_ancestor(one, other):
    assert_undecided(one, other)
    for ancestor in ("", one, FRAME, f"{FRAME} {one}", {"text": one}, 7):
        assert_undecided(one, other, ancestor)


@texts
def test_contradicting_texts_in_one_field_are_not_merged(one, other):
    assert_undecided({"text": one}, {"text": other})
    assert_undecided({"text": one, "by": "ann"}, {"text": other, "seen": "bob"}, {"text": FRAME})
    assert_undecided({"a": {"b": one}}, {"a": {"b": other}}, {"a": {"b": "", "c": 1}})


@texts
def test_contradicting_texts_that_were_added_far_apart_in_one_text_are_not_merged(one, other):
    assert_undecided(f"{one} {FRAME}", f"{FRAME} {other}", FRAME)
    assert_undecided({"log": f"{one} {FRAME}"}, {"log": f"{FRAME} {other}"}, {"log": FRAME})


@texts
def test_contradicting_texts_that_are_put_into_different_fields_are_not_merged(one, other):
    assert_undecided({"report": one}, {"minutes": other})


@objects
def test_contradicting_fields_are_not_merged(one, other):
    assert_undecided(one, other)
    assert_undecided({**one, "left": 1}, other, {"left": 0})
    assert_undecided({"inside": one}, {"inside": other})


def test_without_the_guard_the_same_merge_of_texts_would_have_merged_them(monkeypatch):
    """The negative control: it is the guard that holds these pairs back, not this merge's want of zeal."""
    monkeypatch.setattr(three_way, "separable", lambda *_: True)
    merged = [resolve(conflict(f"{one} {FRAME}", f"{FRAME} {other}", FRAME)) for one, other in PAIRS]
    assert sum(resolution.resolution is not None for resolution in merged) == len(PAIRS)


def test_contradicting_scalars_are_left_to_a_mediator():
    for one, other in [(1, 2), (1, True), (None, 0), ([1], [2]), ("yes", 1), (1, {"n": 1})]:
        assert CHOSEN[classify(conflict(one, other))] == "ai_mediation"
        assert_undecided(one, other)
