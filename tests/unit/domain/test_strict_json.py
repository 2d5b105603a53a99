"""One strict reading of JSON: what it takes, and every refusal by its reason."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.refusal import Refusal
from domain.strict_json import MAX_DEPTH, check_text, parse, printable

STORABLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=10)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | STORABLE,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(STORABLE, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES, st.booleans(), st.booleans())
def test_whatever_json_and_a_database_can_hold_is_read_as_it_was_written(value, escaped, as_bytes):
    text = json.dumps(value, ensure_ascii=escaped)
    assert parse(text.encode() if as_bytes else text) == value


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not JSON"),
        ("{", "not JSON: .* line 1 column 2"),
        ('{"a": 1,\n}', "line 2 column 1"),
        ("{}{}", "Extra data"),
        ("nul", "not JSON"),
        ("'a'", "not JSON"),
        ("\ufeff{}", "not JSON"),
        ('"a\nb"', "control character"),
        ('{"a": 1, "b": 2, "a": 3}', "'a' twice"),
        ('{"x": {"\\u001b[2J": 1, "\\u001b[2J": 2}}', r"'\\x1b\[2J' twice"),
        ("[NaN]", "holds NaN"),
        ("[Infinity]", "holds Infinity"),
        ("[-Infinity]", "holds -Infinity"),
        ("1e400", "beyond a double's range"),
        ("-1e400", "beyond a double's range"),
        ("1" * 5_000, "number too long"),
        ('{"a": ["x", "b\\u0000c"]}', r"^input\.a\[1\]: holds a NUL"),
        ('{"a\\u0000": 1}', "^input: holds a NUL"),
        ('["\\ud800"]', r"^input\[0\]: holds a lone surrogate"),
        ('["\\udfff"]', "lone surrogate"),
        ('{"a": {"k\\u001b": "\\ud800"}}', r"^input\.a\.k\\x1b: holds a lone"),
    ],
)
def test_what_is_not_one_storable_json_value_is_refused_by_its_reason(text, says):
    with pytest.raises(Refusal, match=says) as caught:
        parse(text)
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_bytes_that_are_not_utf_8_are_refused_at_their_place():
    with pytest.raises(Refusal, match="not UTF-8 at byte 2"):
        parse(b'["\xff"]')
    with pytest.raises(Refusal, match="not UTF-8 at byte 1"):
        parse('"\ud800"')


def test_the_limit_counts_bytes_and_is_itself_allowed():
    assert parse('"éé"', limit=6) == "éé"
    with pytest.raises(Refusal, match=r"^ballots: 6 bytes are too many, at most 5 are read"):
        parse('"éé"', what="ballots", limit=5)


def test_brackets_within_strings_are_no_nesting():
    texts = ['"' + "[" * 100, "\\" * 9 + "[" * 100, '\\"' + "{" * 100]
    assert parse(json.dumps(texts)) == texts
    with pytest.raises(Refusal, match="nested deeper"):
        parse('["\\\\",' + "[" * MAX_DEPTH)
    with pytest.raises(Refusal, match="not JSON"):
        parse('["' + "[" * 100)  # a string that never ends


def test_nesting_is_read_to_the_limit_and_refused_beyond():
    assert parse("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    assert parse('{"a":' * MAX_DEPTH + "1" + "}" * MAX_DEPTH)
    assert parse("[[], " + "[" * (MAX_DEPTH - 1) + "]" * MAX_DEPTH)
    for text in ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), '{"a":' * 65 + "1" + "}" * 65, "[{" * 50_000):
        with pytest.raises(Refusal, match="deeper than 64"):
            parse(text)


def test_brackets_side_by_side_or_inside_text_are_no_depth():
    many = [[]] * 1_000
    assert parse(json.dumps(many)) == many
    text = '\\" [{' * 1_000
    assert parse(json.dumps([text, [text]])) == [text, [text]]
    assert parse(json.dumps([["[" * 100], "]" * 100, "\\", ["[" * 100]])) == [
        ["[" * 100],
        "]" * 100,
        "\\",
        ["[" * 100],
    ]


def test_surrogates_that_make_a_pair_are_text():
    assert parse('"\\ud83d\\ude00"') == "😀"


def test_text_that_was_not_parsed_from_json_can_be_checked_too():
    check_text({"a": ["b", 1, None]}, "x")
    check_text("é", "x")
    with pytest.raises(Refusal, match=r"^x: holds a NUL"):
        check_text("\0", "x")


@given(st.text(), st.integers(1, 100))
def test_what_is_printable_stays_on_one_line_and_moves_no_cursor(text, limit):
    shown = printable(text, limit)
    assert shown.isprintable()
    assert len(shown) <= 10 * limit


def test_printable_text_is_shown_as_it_is_up_to_the_limit():
    assert printable("naïve ☕", 7) == "naïve ☕"
    assert printable("naïve ☕", 6) == "naïve…"
    assert printable("a\n\x1b\u202eb") == "a\\n\\x1b\\u202eb"
    assert printable("x" * 80) == "x" * 80
    assert printable("x" * 81) == "x" * 79 + "…"
