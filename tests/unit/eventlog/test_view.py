"""A record in one line, whatever it holds."""

import json

import pytest

from eventlog import view
from eventlog.codec import encode
from eventlog.record import RawRecord
from tests.unit.eventlog.examples import ballot

STORED = encode(ballot(reason="SECRET"))
MS = 1_795_000_000_123


def record(value, at=MS):
    return RawRecord("decisions", 2, 7, at, b"consensus/42", value)


def test_an_event_is_told_with_its_time_place_stream_and_type():
    line = view.as_text(record(STORED))
    assert line.startswith(
        "2026-11-21T10:00:00.123456Z  decisions/2@7  consensus/42 v1  consensus.ballot_cast.v2 "
    )


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (b"\xff\x1b[31mSECRET", "no event: is not UTF-8 at byte 0 (12 bytes)"),
        (b'{"not": "an event"}', "no event: the value lacks the field type (19 bytes)"),
        (b"", "no event: is empty (0 bytes)"),
        (
            STORED.replace(b'"round":1', b'"round":"SECRET"'),
            (
                "consensus/42 v1  consensus.ballot_cast.v2, but cannot be read: data.round is wrong:"
                f" expected int, got str ({len(STORED) + 7} bytes)"
            ),
        ),
    ],
)
def test_what_is_no_event_is_told_with_kafkas_time_its_offset_and_the_reason(value, says):
    assert view.as_text(record(value)) == f"2026-11-18T11:06:40.123000Z  decisions/2@7  {says}"


@pytest.mark.parametrize("at", [-1, 0, 10**18])
def test_a_time_that_is_none_stops_nobody(at):
    line = view.as_text(record(b"", at))
    assert line.endswith("decisions/2@7  no event: is empty (0 bytes)")
    assert json.loads(view.as_json(record(b"", at)))["undecodable"] == "is empty"
