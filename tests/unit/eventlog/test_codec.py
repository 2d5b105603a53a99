"""What is written is what is read, byte for byte, and nothing is written that could not be read."""

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.consensus.events import Decided
from domain.consensus.policy import Policy
from domain.context.canonical import is_plain
from domain.context.commands import PutContext
from domain.context.decide import Node, put
from domain.context.layers import Layers
from domain.context.recording import recorded
from domain.context.residency import Residency
from domain.context.state import fold
from domain.event import Event
from domain.refusal import Refusal
from eventlog.catalogue import BY_TYPE, EVENTS
from eventlog.codec import MAX_EVENT_BYTES, decode, encode, encode_sound, peek
from tests.unit.drawing import examples
from tests.unit.eventlog import strategies
from tests.unit.eventlog.examples import AT, BALLOT, ballot

DECIDED = Decided(None, "unresolved", "rule", "no choice", (), 0.5, 1, (), 1.0, Policy(), ())


@given(strategies.events())
def test_every_event_is_read_as_it_was_written_and_written_as_it_was_read(event):
    value = encode(event)
    assert decode(value) == event
    assert encode(decode(value)) == value


@pytest.mark.parametrize("cls", EVENTS)
def test_each_type_of_the_catalogue_survives_the_round_trip(cls):
    @examples(25)
    @given(strategies.events(strategies.of(cls)))
    def survives(event):
        assert decode(encode(event)) == event
        assert type(decode(encode(event)).data) is cls

    survives()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=6,
)


@given(
    VALUES,
    st.integers(0, 3).map(lambda step: 1_795_255_199_999 + step),
    st.sampled_from([(), ("historical",)]),
)
def test_what_is_not_read_again_when_it_is_written_could_be(value, now, flags):
    assume(is_plain(value))
    command = PutContext("cultural", "ward-é/1", value, "Åse", flags, 1.5)
    entry = None
    for _ in range(2):
        write = put(entry, command, Node("eu-1", "eu"), now, layers=Layers(), residency=Residency())
        entry = fold(entry, write)
        event = recorded(write, "eu", Residency())
        assert encode_sound(event) == encode(event)


@given(strategies.events())
def test_an_event_is_a_cloudevent_in_structured_json(event):
    stored = json.loads(encode(event))
    assert stored["specversion"] == "1.0"
    assert (stored["type"], stored["id"], stored["subject"]) == (event.type, event.id, event.stream)
    assert all(name.isalnum() and name == name.lower() for name in stored)
    assert all(value is not None for value in stored.values())


@given(strategies.events())
def test_a_stored_time_has_always_six_digits_and_a_z(event):
    stored = json.loads(encode(event))["time"]
    assert stored == event.time.strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


def test_the_built_event_is_the_one_that_its_constructor_makes():
    event = decode(encode(ballot()))
    assert event == Event(**{name: getattr(event, name) for name in Event.__slots__})
    assert hash(event.id) == hash(ballot().id)


def test_no_two_types_share_a_stored_name():
    assert len(BY_TYPE) == len(EVENTS)


def test_a_whole_number_in_a_field_of_fractions_is_stored_as_a_fraction():
    assert b'"confidence":1.0' in encode(ballot(confidence=1))


def test_a_time_in_another_zone_is_stored_in_utc():
    east = AT.astimezone(timezone(timedelta(hours=2)))
    assert encode(ballot(at=east)) == encode(ballot())


def test_a_peek_tells_id_type_stream_and_version():
    heading = peek(encode(ballot(version=3)))
    assert (heading.id, heading.type) == (ballot(version=3).id, "consensus.ballot_cast.v2")
    assert (heading.stream, heading.version) == ("consensus/42", 3)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"x",
        b"[]",
        b'{"id":1}',
        b"\xff",
        b'{"q":' + b"[" * 100_000,
        encode(ballot()).replace(b"/42", b"/\\u0000"),
    ],
)
def test_a_peek_into_what_cannot_be_read_is_none(value):
    assert peek(value) is None


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        (ballot(confidence=float("nan")), "NaN"),
        (ballot(confidence=float("inf")), "infinity"),
        (replace(ballot(), data=replace(DECIDED, agreement=float("nan"))), "data.agreement"),
        (replace(ballot(), data=replace(DECIDED, posterior={"a": float("nan")})), "data.posterior"),
        (ballot(reason="a\0b"), "NUL"),
        (ballot(reason="\ud800"), "lone surrogate"),
        (ballot(labels=["close"]), "another type"),
        (ballot(round="1"), "data.round"),
        (ballot(round=2**63), "64 bits"),
        (ballot(choice={1, 2}), "data.choice"),
        (ballot(choice=object()), "JSON cannot hold"),
        (ballot(stream="consensus/../42"), "subject"),
        (ballot(stream="consensus/42\n"), "subject"),
        (ballot(version=0), "streamversion"),
        (ballot(version=2**31), "streamversion"),
        (replace(ballot(), id="42"), "id is not a UUID"),
        (replace(ballot(), source=""), "source"),
        (replace(ballot(), time=datetime(2026, 11, 21)), "without a zone"),  # noqa: DTZ001 # that is the point
        (replace(ballot(), time=AT.replace(year=1969)), "before 1970"),
        (replace(ballot(), data="close"), "no type of the catalogue"),
    ],
)
def test_what_could_not_be_read_again_is_refused_by_name(event, problem):
    with pytest.raises(Refusal, match=problem) as refused:
        encode(event)
    assert refused.value.field == "event"
    assert str(refused.value).isprintable()


def test_an_event_of_just_256_kib_is_stored_and_one_byte_more_is_refused_by_name():
    room = MAX_EVENT_BYTES - len(encode(ballot(reason="")))
    assert len(encode(ballot(reason="x" * room))) == MAX_EVENT_BYTES
    with pytest.raises(Refusal, match=r"ballot_cast.*consensus/42 has 262145 bytes, at most 262144"):
        encode(ballot(reason="x" * (room + 1)))


def test_a_refusal_names_type_id_and_stream_and_shows_no_control_characters():
    with pytest.raises(Refusal) as refused:
        encode(replace(ballot(), id="\x1b[31m", data=replace(BALLOT, reason="\0")))
    assert "consensus.ballot_cast.v2 \\x1b[31m of consensus/42" in str(refused.value)
