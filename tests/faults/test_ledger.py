"""The checker on which the fault tests rest finds what it must: each fault planted alone, by its own name."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from domain.consensus.events import BallotCast, Decided
from domain.consensus.policy import Policy
from domain.event import Event, event_id
from eventlog.codec import encode
from eventlog.record import RawRecord
from tests.faults.ledger import Ledger

ITEMS = ("consensus/d.0", "consensus/d.1")
AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
DECIDED = Decided("a", "consensus", "consensus", "agreed", ("a",), 1.0, 1, ("ada",), 0.0, Policy(), ("b",))


def event(item, version, data, run="r"):
    return Event(event_id(AT, item, version, run), item, version, AT, data, "test")


def whole():
    """Two items as they must be: a ballot, then the decision."""
    return [
        found
        for item in ITEMS
        for found in (event(item, 1, BallotCast("ada", 1, "a")), event(item, 2, DECIDED))
    ]


def record(event, offset=0):
    return RawRecord("decisions", 0, offset, 0, event.stream.encode(), encode(event))


def judged(events, items=ITEMS):
    ledger = Ledger()
    for offset, found in enumerate(events):
        ledger.take(record(found, offset))
    return ledger, ledger.judged(items)


def test_a_log_on_which_every_item_is_decided_once_has_no_fault():
    assert judged(whole())[1] == []


@pytest.mark.parametrize("repeated", [slice(0, 4), slice(1, 2), slice(2, 4)])
def test_repeated_events_are_counted_and_no_fault(repeated):
    again = whole()[repeated]
    ledger, faults = judged([*whole(), *again])
    assert (faults, ledger.repeated, ledger.records) == ([], len(again), 4 + len(again))


def test_a_retry_that_repeats_while_it_still_goes_on_is_no_fault():
    one, two, three, four = whole()
    assert judged([one, one, two, three, two, three, four, four])[1] == []


@pytest.mark.parametrize(
    ("doctored", "fault"),
    [
        (whole()[:3], "consensus/d.1 is decided 0 times"),
        ([*whole(), event(ITEMS[0], 3, DECIDED)], "consensus/d.0 is decided 2 times"),
        ([*whole(), event(ITEMS[0], 2, DECIDED, "another run")], "consensus/d.0 is decided 2 times"),
        ([*whole(), event(ITEMS[0], 2, DECIDED, "another run")], "consensus/d.0 2 is a fork"),
        ([*whole(), event(ITEMS[0], 4, BallotCast("b", 1, "a"))], "consensus/d.0 has a gap: 4 after 2"),
        (whole()[1:], "consensus/d.0 has a gap: 2 after 0"),
        ([whole()[1], whole()[0], *whole()[2:]], "consensus/d.0 has a gap: 2 after 0"),
        ([*whole(), event("consensus/d.2", 1, DECIDED)], "consensus/d.2 was decided unasked"),
        ([*whole(), replace(whole()[1], source="someone else")], "bears two contents"),
    ],
    ids=["missing", "doubled", "doubled in a fork", "fork", "gap", "no beginning", "order", "unasked", "id"],
)
def test_a_doctored_log_is_found_out(doctored, fault):
    assert any(fault in found for found in judged(doctored)[1])


def test_what_is_no_event_is_a_fault():
    ledger = Ledger()
    ledger.take(RawRecord("decisions", 3, 7, 0, b"consensus/d.0", b"{"))
    assert "offset 7 of 3 is no event" in ledger.judged([])[0]
