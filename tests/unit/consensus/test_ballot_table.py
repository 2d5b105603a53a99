"""What a table of recorded ballots holds, what it refuses, and the one vote that several labels make."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.consensus import ballot_table
from domain.consensus.ballot_rows import MAX_LINE
from domain.consensus.ballot_table import (
    MAX_TEXT,
    BallotTable,
    Vote,
    kind_of,
    most_frequent,
    natural,
    parse,
)
from domain.consensus.commands import MAX_NAME
from domain.refusal import Refusal

ANAESTHETISTS = Path(__file__).parents[3] / "examples/anaesthetists/ballots.csv"


def csv(text: str) -> BallotTable:
    return parse(text.encode(), kind="csv")


def refusal(raw: bytes, kind: ballot_table.Kind = "csv") -> str:
    with pytest.raises(Refusal) as caught:
        parse(raw, kind=kind)
    said = str(caught.value)
    assert said.isprintable()
    assert len(said) < 300
    return said


def test_items_keep_their_order_and_voters_and_choices_stand_in_natural_order() -> None:
    table = csv("item,voter,choice\nz,v10,b\na,v9,a\nz,v9,b\n")
    assert table.items == ("z", "a")
    assert table.voters == ("v9", "v10")
    assert table.choices == ("a", "b")
    assert table.labels == ((0, 1, 1, None), (1, 0, 0, None), (0, 0, 1, None))


def test_columns_may_stand_in_any_order_and_a_confidence_may_be_left_empty() -> None:
    table = csv("confidence,choice,item,voter\n0.5,yes,1,v\n,no,1,w\n.25,no,2,w\n1e-1,no,3,w\n")
    assert [label[3] for label in table.labels] == [0.5, None, 0.25, 0.1]


def test_a_byte_order_mark_carriage_returns_blank_lines_and_spaces_are_no_data() -> None:
    plain = csv("item,voter,choice\n1,v,a\n2,v,b\n")
    assert parse(b"\xef\xbb\xbfitem, voter ,choice\r\n\r\n1, v,a\r\n2,v, b \r\n\r\n", kind="csv") == plain
    assert parse(b"item,voter,choice\r1,v,a\r2,v,b", kind="csv") == plain


def test_a_cell_is_data_whatever_a_spreadsheet_would_make_of_it() -> None:
    table = csv('item,voter,choice\n=cmd(),@v,"a ""b"", c"\n"two\nlines",@v,-1+1\n')
    assert table.items == ("=cmd()", "two\nlines")
    assert table.choices == ("-1+1", 'a "b", c')


def test_a_table_with_one_choice_is_a_table() -> None:
    assert csv("item,voter,choice\n1,v,a\n").choices == ("a",)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "table: is empty; the columns are item,voter,choice and optionally confidence"),
        (b"\xef\xbb\xbf\r\n", "table: is empty"),
        (b"item,voter,choice\n", "table: holds no ballots"),
        (b"1,v,a\n2,v,b\n", "line 1: unknown column '1'"),
        (b"item,voter,Choice\n1,v,a\n", "line 1: unknown column 'Choice'"),
        (b"item,voter\n1,v\n", "line 1: lacks the column choice"),
        (b"item,voter,choice,voter\n1,v,a,v\n", "line 1: names the column voter twice"),
        (b"item,voter,choice,\x1b[31m\n1,v,a,v\n", "line 1: unknown column '\\x1b[31m'"),
        (b"item,voter,choice\n1,v,a\n2,v\n", "line 3: has 2 fields where the header names 3"),
        (b"item,voter,choice\n1\n", "line 2: has 1 field where the header names 3"),
        (b"item,voter,choice\n1,v,a,b,c\n", "line 2: has 5 fields where the header names 3"),
        (b"item,voter,choice\n,v,a\n", "line 2, item: is empty"),
        (b"item,voter,choice\n1, ,a\n", "line 2, voter: is empty"),
        (b"item,voter,choice\n1,v,\n", "line 2, choice: is empty"),
        (b"item,voter,choice\n1,v,a\x00b\n", "line 2: holds a NUL byte"),
        (b"item,voter,choice\n1,v,\xff\xfe\n", "line 2: is not UTF-8"),
        (bytes(range(256)) * 50, "line 1: holds a NUL byte"),
        (b'item,voter,choice\n1,v,"a\n2,v,b\n', "line 2: opens a quote that is never closed"),
        (b'item,voter,choice\n1,v,"a" b\n', "line 2: holds a quote inside a quoted field"),
        (b"item,voter,choice,confidence\n1,v,a,1.5\n", "line 2, confidence: 1.5 is outside 0 to 1"),
        (b"item,voter,choice,confidence\n1,v,a,1e999\n", "line 2, confidence: inf is outside 0 to 1"),
        (b"item,voter,choice,confidence\n1,v,a,nan\n", "line 2, confidence: 'nan' is not a number"),
        (b"item,voter,choice,confidence\n1,v,a,high\n", "line 2, confidence: 'high' is not a number"),
        (b"item,voter,choice,confidence\n1,v,a,0_1\n", "line 2, confidence: '0_1' is not a number"),
        (b"item,voter,choice\n1,v," + b"a" * 5_000_000, "line 2: holds a field far too long"),
        (b"item,voter,choice\n1,v," + b"a" * (MAX_TEXT + 1), "line 2, choice: 1,001 characters are too many"),
        (
            b"item,voter,choice\n1," + b"v" * (MAX_NAME + 1) + b",a\n",
            "line 2, voter: 201 characters are too many",
        ),
        (b"item,voter,choice\n1,v\x1b[2J,a\n", "line 2, voter: holds a control character"),
        ("item,voter,choice\n1,v\x9b2J,a\n".encode(), "line 2, voter: holds a control character"),
    ],
)
def test_a_broken_csv_is_refused_in_one_line_that_names_the_line(raw: bytes, said: str) -> None:
    assert refusal(raw).startswith(said)


def test_the_line_named_is_the_physical_line_on_which_the_row_starts() -> None:
    assert refusal(b'item,voter,choice\n"1\n1",v,a\n\n"2\n2",v\n').startswith("line 5: has 2 fields")
    assert refusal(b'item,voter,choice\r\n"1\r\n1",v,a\r\n2,v,\xff').startswith("line 4: is not UTF-8")


def test_a_table_above_a_limit_is_refused_with_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = b"item,voter,choice\n" + b"".join(b"%d,v,c%d\n" % (n, n) for n in range(4))
    monkeypatch.setattr(ballot_table, "MAX_ROWS", 4)
    monkeypatch.setattr(ballot_table, "MAX_CHOICES", 4)
    assert len(parse(rows, kind="csv").labels) == 4
    monkeypatch.setattr(ballot_table, "MAX_CHOICES", 3)
    assert refusal(rows).startswith("line 5, choice: is one of more than 3 different")
    monkeypatch.setattr(ballot_table, "MAX_ROWS", 3)
    assert refusal(rows.replace(b"3,v,c3", b"2,v,c2")).startswith("line 5: is one row too many, at most 3")
    monkeypatch.setattr(ballot_table, "MAX_BYTES", len(rows) - 1)
    assert "are too many" in refusal(rows)


def test_json_lines_hold_the_same_table_as_csv() -> None:
    raw = b'{"item":1,"voter":"v","choice":"a","confidence":null}\r\n\n{"choice":2,"item":"1","voter":"w"}\n'
    assert parse(raw, kind="jsonl") == csv("item,voter,choice\n1,v,a\n1,w,2\n")
    half = b'\xef\xbb\xbf{"item":1,"voter":"v","choice":"a","confidence":0.5}'
    assert parse(half, kind="jsonl") == csv("item,voter,choice,confidence\n1,v,a,0.5\n")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"7", 'line 2: must be an object such as {"item"'),
        (b"{", "line 2: is not JSON"),
        (b"{}{}", "line 2: is not JSON"),
        (b"\xff", "line 2: is not UTF-8"),
        (b'{"item":' * 1000, "line 2: is nested deeper than 64"),
        (b'["1","v","a"]', 'line 2: is an array, must be an object such as {"item": "1", "voter": "ann"'),
        (b" [", "line 2: is an array, must be an object"),
        (b'{"item":1,"item":2}', "line 2: holds the field 'item' twice"),
        (b'{"item":1,"voter":"v"}', "line 2: lacks the field choice"),
        (b'{"item":1,"voter":"v","choice":"a","colour":1}', "line 2: unknown field 'colour'"),
        (b'{"item":1,"voter":"v","choice":true}', "line 2, choice: must be text or a whole number"),
        (b'{"item":1.5,"voter":"v","choice":"a"}', "line 2, item: must be text or a whole number"),
        (b'{"item":1,"voter":null,"choice":"a"}', "line 2, voter: must be text or a whole number"),
        (b'{"item":1,"voter":"v","choice":""}', "line 2, choice: is empty"),
        (b'{"item":1,"voter":"v","choice":"\\u0000"}', "line 2.choice: holds a NUL"),
        (b'{"item":1,"voter":"v","choice":"\\ud800"}', "line 2.choice: holds a lone surrogate"),
        (b'{"item":1,"voter":"v","choice":"\\u001b[2J"}', "line 2, choice: holds a control character"),
        (b'{"item":1,"voter":"v","choice":"a","confidence":"high"}', "line 2, confidence: must be a number"),
        (b'{"item":1,"voter":"v","choice":"a","confidence":true}', "line 2, confidence: must be a number"),
        (b'{"item":1,"voter":"v","choice":"a","confidence":NaN}', "line 2: holds NaN"),
        (b'{"item":1,"voter":"v","choice":"a","confidence":-1}', "line 2, confidence: -1 is outside 0 to 1"),
        (b'"' + b"a" * MAX_LINE, "line 2: 16385 bytes are too many"),
    ],
)
def test_a_broken_json_line_is_refused_in_one_line_that_names_the_line(line: bytes, said: str) -> None:
    assert refusal(b'{"item":1,"voter":"v","choice":"a"}\n' + line, "jsonl").startswith(said)


def test_json_lines_without_a_ballot_are_refused() -> None:
    assert refusal(b"\n\n", "jsonl") == "table: holds no ballots"


def test_a_table_of_an_unknown_kind_is_our_own_fault() -> None:
    with pytest.raises(AssertionError):
        parse(b"", kind="xlsx")  # type: ignore[arg-type] # a fault is what is tested


def test_several_labels_of_one_voter_make_one_vote_by_its_most_frequent() -> None:
    table = csv(
        "item,voter,choice,confidence\n"
        "1,v,a,0.9\n1,w,b,\n1,v,b,0.1\n1,v,a,0.7\n2,v,b,0.3\n2,v,a,0.3\n2,w,b,0.6\n3,v,a,\n3,v,a,\n"
    )
    assert table.votes(0) == (Vote("v", "a", pytest.approx(0.8), ("a", "b", "a")), Vote("w", "b"))
    assert table.votes(1) == (
        Vote("v", None, None, ("b", "a"), "its own 2 labels tie between 2 choices"),
        Vote("w", "b", 0.6),
    )
    assert table.votes(2) == (Vote("v", "a", None, ("a", "a")),)


def test_the_most_frequent_are_all_that_tie_and_none_of_none() -> None:
    assert most_frequent(["b10", "b9", "a", "b9", "b10"]) == ("b9", "b10")
    assert most_frequent([]) == ()


def test_the_shipped_table_is_dawid_and_skenes() -> None:
    table = parse(ANAESTHETISTS.read_bytes(), kind="csv")
    assert table.items == tuple(str(number) for number in range(1, 46))
    assert table.voters == tuple("12345")
    assert table.choices == tuple("1234")
    assert len(table.labels) == 315
    assert table.votes(1)[0].labels == ("3", "3", "3")  # patient 2
    assert [vote.choice for vote in table.votes(1)] == ["3", "4", "3", "3", "4"]


def test_ten_thousand_items_are_voted_in_two_seconds_of_processor_time() -> None:
    rows = "".join(f"{n // 5},v{n % 5},c{n % 3}\n" for n in range(50_000))
    started = time.process_time()
    table = csv("item,voter,choice\n" + rows)
    votes = [table.votes(item) for item in range(10_000)]
    assert time.process_time() - started < 2
    assert sum(map(len, votes)) == 50_000


names = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=8).map(
    str.strip
)
rows = st.lists(st.tuples(names, names, names).filter(all), min_size=1, max_size=30)


@settings(deadline=None)
@given(rows, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_voters_and_no_choices(ballots: list, random) -> None:
    def table(of: list) -> BallotTable:
        lines = [json.dumps(dict(zip(("item", "voter", "choice"), row, strict=True))) for row in of]
        return parse("\n".join(lines).encode(), kind="jsonl")

    shuffled = random.sample(ballots, len(ballots))
    before, after = table(ballots), table(shuffled)
    assert (before.voters, before.choices) == (after.voters, after.choices)
    assert sorted(before.items) == sorted(after.items)
    assert len(after.labels) == len(ballots)
    for row, (item, voter, choice, _) in zip(shuffled, after.labels, strict=True):
        assert row == (after.items[item], after.voters[voter], after.choices[choice])


@settings(deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["csv", "jsonl"]))
def test_no_bytes_do_more_than_be_refused_in_one_line(raw: bytes, kind: ballot_table.Kind) -> None:
    for content in (raw, b"item,voter,choice\n" + raw):
        try:
            parse(content, kind=kind)
        except Refusal as said:
            assert str(said).isprintable()  # noqa: PT017 # either outcome is right, both are looked at


def test_natural_order_reads_numbers_and_falls_back_on_the_text() -> None:
    assert sorted(["10", "2", "a2", "a10", "01", "1", "a"], key=natural) == [
        "01", "1", "2", "10", "a", "a2", "a10",
    ]  # fmt: skip


def test_the_voters_of_an_item_are_counted_once_however_many_labels_they_gave() -> None:
    table = csv("item,voter,choice\n1,v,a\n1,v,b\n1,w,a\n2,w,a\n")
    assert [table.voters_of(item) for item in range(2)] == [2, 1]


def test_a_table_that_begins_with_a_brace_or_a_bracket_is_json_lines_and_any_other_is_csv() -> None:
    assert kind_of(b'\xef\xbb\xbf\n {"item":1}') == "jsonl"
    assert kind_of(b'["1","v","a"]\n') == kind_of(b"\n[\n") == "jsonl"
    assert kind_of(b"item,voter,choice\n{,{,{\n") == "csv"
    assert kind_of(b"") == "csv"
