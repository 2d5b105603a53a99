"""Event ids: derivable again, unique by position, ordered by time, and UUIDv7 by the letter."""

import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.consensus.events import BallotCast
from domain.event import Event, event_id
from domain.refusal import Refusal

AT = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TIMES = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 # hypothesis wants them bare


def test_an_id_is_pinned_because_readers_find_duplicates_by_it():
    assert event_id(AT, "workflow", "run", "consensus/q", 1) == "019b7ca9-8f2e-72cb-853a-f49d9dc700f1"


@given(TIMES, st.lists(st.text(max_size=5) | st.integers(), max_size=4))
def test_an_id_is_a_version_7_uuid_of_the_millisecond(at, position):
    made = event_id(at, *position)
    parsed = uuid.UUID(made)
    assert str(parsed) == made
    assert parsed.version == 7
    assert parsed.variant == uuid.RFC_4122
    assert parsed.int >> 80 == (at - EPOCH) // timedelta(milliseconds=1)
    assert event_id(at, *position) == made


@given(st.lists(st.tuples(st.text(max_size=3), st.text(max_size=3)), min_size=2, max_size=6, unique=True))
def test_no_two_positions_share_an_id(positions):
    assert len({event_id(AT, *position) for position in positions}) == len(positions)


def test_parts_of_a_position_do_not_run_together():
    assert event_id(AT, "ab", "c") != event_id(AT, "a", "bc")
    assert event_id(AT, "a") != event_id(AT, "a", "")
    assert event_id(AT, "1") == event_id(AT, 1)


def test_an_id_does_not_depend_on_the_time_zone_it_is_told_in():
    east = AT.astimezone(timezone(timedelta(hours=5, minutes=45)))
    assert event_id(east, "a") == event_id(AT, "a")


def test_a_later_millisecond_sorts_after_an_earlier_one():
    assert event_id(AT, "z") < event_id(AT + timedelta(milliseconds=1), "a")


def test_every_whole_millisecond_keeps_its_number():
    """A float of seconds loses some: 0.001 * 1000 may fall short of 1."""
    for milliseconds in range(1_700_000_000_000, 1_700_000_001_000):
        made = event_id(EPOCH + timedelta(milliseconds=milliseconds), "a")
        assert int(made.replace("-", "")[:12], 16) == milliseconds


def test_a_time_without_a_zone_is_not_guessed():
    with pytest.raises(TypeError):
        event_id(datetime(2026, 1, 1), "a")  # noqa: DTZ001 # that is the point


def test_an_event_bears_the_pinned_name_of_what_it_says():
    event = Event("id", "consensus/q", 1, AT, BallotCast("ann", 1, "yes"), "test")
    assert event.type == "consensus.ballot_cast.v2"


def test_a_refusal_names_its_field_once():
    refusal = Refusal("threshold", "is too high")
    assert (str(refusal), refusal.field, refusal.problem) == (
        "threshold: is too high",
        "threshold",
        "is too high",
    )
    assert str(Refusal("", "is too high")) == "is too high"
