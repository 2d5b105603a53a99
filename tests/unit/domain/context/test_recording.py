"""The event of a write: one for each region and dot, whoever writes it; none where the value may not be."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given

from domain.context.possible import LATEST
from domain.context.recording import recorded, wall_of
from domain.context.region import check_region
from domain.context.residency import Pin, PinnedElsewhere, Residency
from domain.refusal import ImpossibleEvent, Refusal
from tests.unit.domain.context.given import anything, wrote

ANYWHERE = Residency()


def test_an_event_says_where_and_when_the_write_was_made():
    write = wrote("eu-1:3", 5, wall=1795255200250, case="c7")
    event = recorded(write, "eu", ANYWHERE)
    assert event.stream.startswith("context/eu.situational.")
    assert (event.version, event.region, event.source) == (3, "eu", "node/eu-1")
    assert event.time == datetime(2026, 11, 21, 10, 0, 0, 250000, tzinfo=UTC)
    assert (event.causation_id, event.correlation_id) == (None, "conflict/c7")
    assert event.data is write


def test_its_copy_in_another_region_names_it_as_the_cause():
    write = wrote("eu-1:3")
    home, copy = recorded(write, "eu", ANYWHERE), recorded(write, "us", ANYWHERE)
    assert copy.causation_id == home.id != copy.id
    assert copy.stream == home.stream.replace("/eu.", "/us.")
    assert (copy.version, copy.time, copy.region, copy.data) == (3, home.time, "eu", write)
    assert copy.correlation_id is None


@given(anything())
def test_dots_and_regions_never_share_an_id_and_a_write_keeps_its_own(write):
    one = recorded(write, "eu", ANYWHERE)
    assert recorded(replace(write), "eu", ANYWHERE) == one
    later = replace(write, counter=write.counter + 100)
    elsewhere = replace(write, node=write.node + "x", counter=write.counter + 100)
    ids = {recorded(w, region, ANYWHERE).id for w in (write, later, elsewhere) for region in ("eu", "us")}
    assert len(ids) == 6
    assert wall_of(one) == write.wall


def test_no_event_is_made_for_a_region_that_may_not_hold_the_value():
    pinned = Residency((Pin(("eu",), layer="situational"),))
    assert recorded(wrote("us-1:1"), "eu", pinned)
    with pytest.raises(PinnedElsewhere, match="us may not hold 'k'"):
        recorded(wrote("eu-1:1"), "us", pinned)


@pytest.mark.parametrize("region", ["", "EU", "-eu", "eu.1", "eu_1", "eu/1", "e" * 41, "eu\n", "é"])
def test_what_could_not_be_part_of_a_topics_name_names_no_region(region):
    with pytest.raises(Refusal, match="lower-case letters") as refused:
        check_region(region)
    assert str(refused.value).isprintable()
    with pytest.raises(Refusal):
        recorded(wrote("eu-1:1"), region, ANYWHERE)


@pytest.mark.parametrize("region", ["eu", "0", "eu-north-1", "e" * 40])
def test_plain_names_name_regions(region):
    check_region(region)


def test_a_time_that_no_event_can_say_is_none():
    assert recorded(wrote("a:1", wall=LATEST), "eu", ANYWHERE).time.year == 9999
    with pytest.raises(ImpossibleEvent, match="after 9999"):
        recorded(wrote("a:1", wall=LATEST + 1), "eu", ANYWHERE)
