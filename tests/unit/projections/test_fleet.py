"""The read model of the fleet: rows that say what the domain says, from any stored row on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.learning.fleet import Left
from domain.learning.roster import candidates
from domain.refusal import ImpossibleEvent
from eventlog.codec import decode, encode
from projections.fleet import FLEET_HOST, FleetProjection
from projections.tables import STAMPS
from tests.unit.domain.learning.fleets import START, announced, client, events
from tests.unit.drawing import examples

PROJECTION = FleetProjection()
COLUMNS = [column.name for column in FLEET_HOST.columns][STAMPS:]
WHOLE = [announced(clients=[client("a", since=START, charging=True)])]
PARTS = [announced(clients=[client(f"p{n}")], part=n, parts=2) for n in (1, 2)]
BEGUN = PARTS[:1]


def stored(said):
    return [decode(encode(event)) for event in events(*said)]


def folded(said):
    state = None
    for event in stored(said):
        state = PROJECTION.fold(state, event)
    return state


@examples(30)
@given(st.lists(st.sampled_from([WHOLE, PARTS, BEGUN, [Left("edge-1", "bye")]]), min_size=1))
def test_every_host_is_folded_to_what_the_domain_says_from_any_stored_row_on(chosen):
    said = [*WHOLE, *(event for events in chosen for event in events)]
    state = None
    for event in stored(said):
        state = PROJECTION.fold(PROJECTION.state(PROJECTION.row(state)) if state else None, event)
    assert state == folded(said)
    assert list(PROJECTION.adds(state, stored(said)[-1])) == []
    assert not PROJECTION.settled(state)


def test_a_row_tells_who_is_there():
    row = dict(zip(COLUMNS, PROJECTION.row(folded([*WHOLE, *PARTS])), strict=True))
    assert (row["host"], row["region"], row["clients"], row["left_at"]) == ("edge-1", "eu", 2, None)
    assert row["announced_at"] > START
    row = dict(zip(COLUMNS, PROJECTION.row(folded(BEGUN)), strict=True))
    assert (row["region"], row["clients"], row["announced_at"]) == ("eu", 0, None)
    row = dict(zip(COLUMNS, PROJECTION.row(folded([*WHOLE, Left("edge-1")])), strict=True))
    assert (row["clients"], row["left_at"] is None) == (1, False)


def test_a_row_holds_all_that_the_roster_says():
    state = folded(WHOLE)
    assert candidates([PROJECTION.state(PROJECTION.row(state))]) == candidates([state])


@pytest.mark.parametrize("said", [[Left("edge-1")], PARTS[1:]])
def test_what_cannot_follow_is_no_row(said):
    with pytest.raises(ImpossibleEvent):
        folded(said)
