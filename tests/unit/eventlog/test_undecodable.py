"""Whatever lies on the log, reading it gives an event or one line that says why not and repeats nothing."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.consensus.events import Decided
from domain.consensus.policy import Policy
from eventlog.codec import MAX_EVENT_BYTES, decode, encode
from eventlog.undecodable import Undecodable
from tests.unit.eventlog import strategies
from tests.unit.eventlog.examples import ballot

SECRET = "SECRETSECRET"
STORED = encode(ballot(reason=SECRET))
DECIDED = encode(
    ballot().__class__(
        ballot().id,
        "consensus/42",
        1,
        ballot().time,
        Decided(
            None, "unresolved", "rule", SECRET, (), 0.5, 1, (), 1.0, Policy(), (), posterior={SECRET: 0.5}
        ),
        "orchestrator",
    )
)
DEEP = b"[" * 100_000


def swapped(old, new, stored=STORED):
    assert stored.count(old) == 1
    return stored.replace(old, new)


def reason(value):
    try:
        decode(value)
    except Undecodable as undecodable:
        return undecodable.reason
    return ""


BROKEN = {
    "empty": (b"", "is empty"),
    "an attribute twice": (swapped(b'"data":{', b'"source":"orchestrator","data":{'), "holds a field twice"),
    "a field of the data twice": (swapped(b'"data":{', b'"data":{"round":2,'), "holds a field twice"),
    "the data twice": (swapped(b'"data":{', b'"data":{},"data":{'), "data lacks the field"),
    "the whole data twice": (STORED[:-1] + STORED[STORED.index(b',"data":') :], "holds a field twice"),
    "a choice's probability twice": (
        swapped(b'"posterior":{', b'"posterior":{"SECRETSECRET":0.5,', DECIDED),
        "holds a field twice",
    ),
    "a field of the policy twice": (
        swapped(b'"policy":{', b'"policy":{"threshold":0.5,', DECIDED),
        "holds a field twice",
    ),
    "a field that we do not know twice": (
        swapped(b'"data":{', b'"data":{"new":{"a":1,"a":1},'),
        "holds a field twice",
    ),
    "a field twice, once with escapes": (
        swapped(b'"data":{', b'"data":{"roun\\u0064":2,'),
        "holds a field twice",
    ),
    "no JSON": (b"SECRET", "is not JSON: invalid character (byte 0)"),
    "a list": (b"[1]", "the value is wrong: expected object, got array"),
    "null": (b"null", "the value is wrong: expected object, got null"),
    "no attribute at all": (b"{}", "the value lacks the field type"),
    "cut short": (STORED[:-2], "is cut short"),
    "more behind it": (STORED + b"}", "is not JSON: trailing characters (byte"),
    "too large": (
        b" " * MAX_EVENT_BYTES + STORED,
        f"has {MAX_EVENT_BYTES + len(STORED)} bytes, more than 262144",
    ),
    "not UTF-8": (swapped(b'close"]', b'\xff"]'), "is not UTF-8 at byte"),
    "a surrogate in UTF-8": (swapped(b'close"]', b'\xed\xa0\x80"]'), "is not UTF-8 at byte"),
    "not UTF-8 where nobody looks": (swapped(b'"data":{', b'"data":{"new":"\xff",'), "is not UTF-8 at byte"),
    "a lone high surrogate": (swapped(b'close"]', b'\\ud800"]'), "is not JSON: unexpected end of escaped"),
    "a lone low surrogate": (swapped(b'close"]', b'\\udc00"]'), "is not JSON: invalid utf-16 surrogate"),
    "an escaped NUL": (swapped(b'close"]', b'\\u0000"]'), "holds a NUL character"),
    "a NUL as a key": (swapped(b'"data":{', b'"data":{"\\u0000":1,'), "holds a NUL character"),
    "a bare NUL": (swapped(b'close"]', b'\0"]'), "is not JSON: invalid character"),
    "an unknown type": (swapped(b"ballot_cast", b"SECRET"), "type is not in the catalogue"),
    "a later version": (swapped(b"ballot_cast.v2", b"ballot_cast.v3"), "type is not in the catalogue"),
    "a type that is no text": (swapped(b'"consensus.ballot_cast.v2"', b"5"), "type is not in the catalogue"),
    "a missing field": (swapped(b'"voter"', b'"SECRET"'), "data lacks the field voter"),
    "no data": (swapped(b'"data":', b'"data_base64":'), "the value has an attribute that is not ours"),
    "a foreign attribute": (
        swapped(b'"workflowid":', b'"secret":'),
        "the value has an attribute that is not ours",
    ),
    "a wrong type": (
        swapped(b'"round":1', b'"round":"SECRET"'),
        "data.round is wrong: expected int, got str",
    ),
    "a bool for a number": (
        swapped(b'"round":1', b'"round":true'),
        "data.round is wrong: expected int, got bool",
    ),
    "a wrong member": (swapped(b'["close"]', b"[5]"), "data.labels[0] is wrong: expected str, got int"),
    "NaN": (swapped(b"0.75", b"NaN"), "is not JSON: invalid character"),
    "infinity": (swapped(b"0.75", b"1e999"), "data.confidence is a number out of range"),
    "a very long number": (
        swapped(b'"round":1', b'"round":' + b"9" * 5000),
        "data.round is a number out of range",
    ),
    "more than 64 bits": (
        swapped(b'"round":1', b'"round":9223372036854775808'),
        "data holds a whole number of more",
    ),
    "100,000 deep": (DEEP, "the value is wrong: expected object, got array"),
    "100,000 deep in an attribute": (b'{"a":' + DEEP, "is nested too deeply"),
    "100,000 deep in data": (swapped(b'"data":{', b'"data":{"new":' + DEEP), "is nested too deeply"),
    "version 0": (
        swapped(b'"streamversion":1', b'"streamversion":0'),
        "streamversion is wrong: expected int >= 1",
    ),
    "version 2^31": (swapped(b'"streamversion":1', b'"streamversion":2147483648'), "streamversion is wrong"),
    "an id that is no UUID": (swapped(ballot().id.encode(), b"SECRET"), "id is not a UUID in lower case"),
    "an id in upper case": (swapped(ballot().id.encode(), ballot().id.upper().encode()), "id is not a UUID"),
    "no stream": (swapped(b'"subject":"consensus/42"', b'"subject":"../SECRET"'), "subject is not the name"),
    "a line end in the stream": (
        swapped(b'"subject":"consensus/42', b'"subject":"consensus/42\\n'),
        "subject is",
    ),
    "no zone": (swapped(b"123456Z", b"123456"), "time is not a time in UTC"),
    "another zone": (swapped(b"123456Z", b"123456+02:00"), "time is not a time in UTC"),
    "no such day": (swapped(b"2026-11-21", b"2026-02-30"), "time is not a time in UTC"),
    "a time before any writer's": (swapped(b"2026-11-21", b"1969-12-31"), "time is not a time in UTC"),
    "the last microsecond": (
        swapped(b"2026-11-21T10:00:00.123456Z", b"9999-12-31T23:59:59.999999Z"),
        "time is not a time in UTC",
    ),
    "a number for a time": (
        swapped(b'"2026-11-21T10:00:00.123456Z"', b"1795255200"),
        "time is not a time in UTC",
    ),
    "another CloudEvents": (swapped(b'"1.0"', b'"0.3"'), "specversion is none of the allowed values"),
    "no source": (swapped(b'"orchestrator"', b'""'), "source is wrong: expected str of length >= 1"),
    "a policy out of range": (
        swapped(b'"threshold":0.75', b'"threshold":7.5', DECIDED),
        "data.policy.threshold has a value that is not allowed",
    ),
    "a policy that contradicts itself": (
        swapped(b'"fault_model":null', b'"fault_model":"byzantine"', DECIDED),
        "data.policy.faults has a value that is not allowed",
    ),
    "an unknown status": (
        swapped(b'"status":"unresolved"', b'"status":"SECRET"', DECIDED),
        "data.status is none of the allowed values",
    ),
    "a wrong value under a key": (
        swapped(b'SECRETSECRET":0.5', b'SECRETSECRET":"SECRET"', DECIDED),
        "data.posterior[...] is wrong: expected float, got str",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_value_is_undecodable_with_its_reason(case):
    value, reason = BROKEN[case]
    with pytest.raises(Undecodable) as undecodable:
        decode(value)
    assert undecodable.value.reason.startswith(reason)
    assert str(undecodable.value) == undecodable.value.reason


@pytest.mark.parametrize("case", BROKEN)
def test_a_reason_is_one_line_and_repeats_nothing_of_the_content(case):
    with pytest.raises(Undecodable) as undecodable:
        decode(BROKEN[case][0])
    reason = undecodable.value.reason
    assert reason.isprintable()
    assert len(reason) < 120
    assert SECRET[:6].lower() not in reason.lower()


def test_what_the_broken_values_were_made_from_is_sound():
    assert decode(STORED).data.reason == SECRET
    assert decode(DECIDED).data.reason == SECRET


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_raise_undecodable(value):
    with pytest.raises(Undecodable):
        decode(value)


@given(strategies.events(), st.data())
def test_a_changed_byte_gives_another_event_or_undecodable(event, data):
    value = bytearray(encode(event))
    at = data.draw(st.integers(0, len(value) - 1))
    value[at] ^= data.draw(st.integers(1, 255))
    assert reason(bytes(value)).isprintable()


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
def test_data_of_any_shape_does_no_more_than_raise_undecodable(shape):
    stored = json.loads(STORED) | {"data": shape}
    with pytest.raises(Undecodable):
        decode(json.dumps(stored).encode())


@pytest.mark.parametrize(
    "change",
    [
        (b'"data":{', b'"data":{"added_later":[1,{"a":null}],'),
        (b'"close"]', b'"\\\\u0000"]'),
        (b'"close"]', b'"\\ud83d\\ude00"]'),
        (b'"specversion"', b'"datacontenttype":"application/json","specversion"'),
        (b".123456Z", b"Z"),
        (b'{"type"', b' {\n"type"'),
    ],
    ids=[
        "a field of a later writer",
        "a written-out escape",
        "a pair of surrogates",
        "the content type",
        "whole seconds",
        "white space",
    ],
)
def test_what_a_later_or_foreign_writer_may_do_is_read(change):
    assert decode(swapped(*change)).id == ballot().id
