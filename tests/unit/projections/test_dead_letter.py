"""What is said of a parked record, and what is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.refusal import ImpossibleEvent
from domain.stream import ITEM_ID
from eventlog.record import RawRecord
from projections.dead_letter import LONGEST_REASON, dead_letter, reason_of, stream_named_by


@pytest.mark.parametrize(
    ("key", "named"),
    [
        (b"consensus/a", ("consensus/a", "consensus")),
        (b"docket/d-1.22", ("docket/d-1.22", "docket")),
        (None, None),
        (b"", None),
        (b"consensus", None),
        (b"consensus/", None),
        (b"consensus/a\n", None),
        (b"Consensus/a", None),
        (b"consensus/a/b", None),
        (b"consensus/" + b"a" * 161, None),
        ("consensus/ä".encode(), None),
    ],
)
def test_a_key_names_a_stream_or_nothing(key, named):
    assert stream_named_by(key) == named


@given(st.from_regex(ITEM_ID, fullmatch=True))
def test_every_stream_that_the_codec_takes_can_be_named(name):
    assert stream_named_by(f"consensus/{name}".encode()) == (f"consensus/{name}", "consensus")


def test_our_own_refusals_speak_and_other_errors_only_give_their_name():
    assert reason_of(ImpossibleEvent("round", "is closed")) == ("impossible", "round: is closed")
    assert reason_of(KeyError("a secret")) == ("fault", "the fold failed with KeyError")


@given(st.binary(max_size=200), st.text(max_size=1000))
def test_a_reason_is_one_printable_line_and_the_content_is_nowhere(value, reason):
    record = RawRecord("decisions", 2, 7, 1_700_000_000_000, b"k", value)
    letter = dead_letter(record, "consensus", None, "impossible", reason)
    assert letter.id == "decisions.2.7"
    assert letter.reason.isprintable()
    assert len(letter.reason) <= 12 * LONGEST_REASON
    assert not any(part is value for part in (letter.reason, letter.event_id, letter.stream))


def test_version_and_id_are_named_where_the_record_states_them():
    value = (
        b'{"id":"01234567-89ab-7def-8123-456789abcdef","type":"nobody.knows.v9","subject":"consensus/a",'
        b'"streamversion":4,"data":{"x":1}}'
    )
    letter = dead_letter(
        RawRecord("decisions", 0, 1, 0, b"k", value), "consensus", "consensus/a", "undecodable", ""
    )
    assert (letter.version, letter.event_id) == (4, "01234567-89ab-7def-8123-456789abcdef")
