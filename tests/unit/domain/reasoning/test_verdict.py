"""A reasoner can say nothing but a verdict: whatever else it says is none."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.conflict.question import question_of
from domain.reasoning.question import Piece, Question, Stance, reversed_order
from domain.reasoning.verdict import (
    Verdict,
    agreed,
    by_rules,
    check_verdict,
    no_verdict,
    read_verdict,
    verdict_or_none,
)
from domain.refusal import Refusal
from tests.unit.domain.conflict.given import CASE

QUESTION = question_of(CASE.case, 2)
GOOD = {"choice": "p1", "confidence": 0.8, "rationale": "the log", "citations": ["e1"]}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(["p1", "e1", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*GOOD, "tool"]), inner),
    max_leaves=8,
)

WORDS = st.sampled_from(["p1", "p2", "p3", "e1", "e2", "e9"])
ALMOST = st.fixed_dictionaries(
    {
        "choice": WORDS | st.none(),
        "confidence": st.floats(-0.5, 1.5),
        "rationale": st.sampled_from(["so", " "]),
        "citations": st.lists(WORDS, max_size=3),
    }
)
"""Right in its types, wrong in what it says, as often as not."""


def answer(**changes):
    return json.dumps({**GOOD, **changes})


def test_a_verdict_is_read_as_it_stands():
    assert read_verdict(answer(), QUESTION) == Verdict("p1", 0.8, "the log", ("e1",))
    assert read_verdict(answer(choice=None, confidence=0), QUESTION) == Verdict(None, 0.0, "the log", ("e1",))
    assert read_verdict(answer(citations=["e2", "e1", "e2"]), QUESTION).citations == ("e2", "e1")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (answer(choice="p3"), "choice: 'p3' is no position of the question"),
        (answer(choice=["p1"]), "choice: a structure is no position of the question"),
        (answer(choice=1), "choice: 1 is no position of the question"),
        (answer(confidence=True), "confidence: True is no number from 0 to 1"),
        (answer(confidence="0.8"), "confidence: '0.8' is no number from 0 to 1"),
        (answer(confidence=1.01), "confidence: 1.01 is no number from 0 to 1"),
        (answer(confidence=-1), "confidence: -1 is no number from 0 to 1"),
        (answer(rationale=" "), "rationale: is no text, or empty"),
        (answer(rationale=None), "rationale: is no text, or empty"),
        (answer(rationale="x" * 2_001), "rationale: 2001 characters are too many, at most 2000"),
        (answer(citations="e1"), "citations: is no list of at most 200 ids"),
        (answer(citations=["e1"] * 201), "citations: is no list of at most 200 ids"),
        (answer(citations=["e1", "e9\x1b"]), r"citations: 'e9\x1b' is no piece of evidence of the question"),
        (answer(citations=[{}]), "citations: a structure is no piece of evidence of the question"),
        (answer(threshold=0.1), "threshold: is no field of a verdict"),
        (json.dumps({"choice": "p1"}), "citations: is missing"),
        ("[]", "verdict: is no JSON object"),
        ("p1", "verdict: is not JSON: Expecting value at line 1 column 1"),
        (answer() + answer(), "verdict: is not JSON: Extra data at line 1 column 81"),
        ('{"choice": "p1", "choice": "p2"}', "verdict: holds the field 'choice' twice"),
        ("x" * 40_000, "verdict: 40000 bytes are too many, at most 32768 are read"),
    ],
)
def test_what_is_no_verdict_is_refused_by_its_field(text, says):
    with pytest.raises(Refusal) as caught:
        read_verdict(text, QUESTION)
    assert str(caught.value) == says
    none = verdict_or_none(text, QUESTION)
    assert (none.choice, none.confidence, none.citations) == (None, 0.0, ())
    assert none.rationale == f"no verdict: the answer does not fit: {says}"


@given(JSON | ALMOST)
def test_whatever_is_answered_only_positions_are_chosen_and_only_evidence_is_cited(value):
    verdict = verdict_or_none(json.dumps(value), QUESTION)
    assert verdict.choice in (None, "p1", "p2")
    assert 0 <= verdict.confidence <= 1
    assert set(verdict.citations) <= {"e1", "e2"}


@given(st.text() | st.binary())
def test_no_text_at_all_breaks_the_reading(text):
    assert verdict_or_none(text, QUESTION).choice is None


def test_a_rationale_with_control_characters_is_kept_without_them():
    assert read_verdict(answer(rationale="a\x1b[2Jb"), QUESTION).rationale == "a\ufffd[2Jb"


def test_one_choice_in_both_orders_is_a_verdict_as_sure_as_the_less_sure():
    first = Verdict("p1", 0.9, "the log", ("e1",))
    second = Verdict("p1", 0.6, "the porter", ("e2", "e1"))
    assert agreed(first, second) == Verdict("p1", 0.6, "the log", ("e1", "e2"))


def test_a_choice_that_the_order_decides_is_no_verdict():
    verdict = agreed(Verdict("p1", 0.9, "a"), Verdict("p2", 0.9, "b"))
    assert verdict == no_verdict("the order of the positions decided: p1 in one order, p2 in the other")


@pytest.mark.parametrize("silent", [0, 1])
def test_an_abstention_in_one_order_is_no_verdict(silent):
    both = [Verdict("p1", 0.9, "a"), Verdict("p1", 0.9, "b")]
    both[silent] = no_verdict("tired")
    assert agreed(*both).choice is None
    assert "no verdict: tired" in agreed(*both).rationale


def test_the_second_question_has_the_positions_the_other_way_round():
    turned = reversed_order(QUESTION)
    assert turned.choices == ("p2", "p1")
    assert (turned.question, turned.evidence) == (QUESTION.question, QUESTION.evidence)
    assert reversed_order(turned) == QUESTION


def test_who_always_takes_the_first_position_never_gives_a_verdict():
    first, second = (
        verdict_or_none(answer(choice=asked.choices[0]), asked)
        for asked in (QUESTION, reversed_order(QUESTION))
    )
    assert first.choice is not None
    assert agreed(first, second).choice is None


def test_the_built_in_reasoner_groups_counts_and_abstains():
    positions = (*QUESTION.positions, Stance("p3", " nine beds ", "cem", ("e1", "e2")))
    verdict = by_rules(Question("How many?", positions, QUESTION.evidence))
    assert verdict.choice is None
    assert verdict.rationale == (
        "no verdict: grouped and counted, not understood; "
        "3 positions in 2 groups: p1, p3: 2 pieces cited; p2: 1 pieces cited"
    )


def test_a_question_is_what_the_level_heard():
    assert question_of(CASE.case, 1).positions == QUESTION.positions[:1]
    assert Question("q", (), (Piece("e", "t"),)).citable == {"e"}


def test_a_verdict_that_a_program_gave_goes_through_the_same_door():
    good = Verdict("p1", 0.8, "the log", ("e1",))
    assert check_verdict(good, QUESTION) == good
    assert check_verdict(no_verdict("tired"), QUESTION) == no_verdict("tired")


@pytest.mark.parametrize(
    ("answered", "says"),
    [
        ("p1", "verdict: is none, but a str"),
        (None, "verdict: is none, but a NoneType"),
        (Verdict("p9", 0.8, "so"), "choice: 'p9' is no position of the question"),
        (Verdict("p1", float("nan"), "so"), "confidence: nan is no number from 0 to 1"),
        (Verdict("p1", 0.8, ""), "rationale: is no text, or empty"),
        (Verdict("p1", 0.8, "so", ("e9",)), "citations: 'e9' is no piece of evidence of the question"),
        (Verdict("p1", 0.8, "so", "e1"), "citations: is no list of at most 200 ids"),
    ],
)
def test_what_a_program_gave_and_does_not_fit_is_refused(answered, says):
    with pytest.raises(Refusal) as caught:
        check_verdict(answered, QUESTION)
    assert str(caught.value) == says
