"""The read model of shared context: rows that say what the domain says, for any order of arrival."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from domain.audit_events import EVENTS as OTHERS
from domain.causality.causal_context import Dot
from domain.causality.hybrid_clock import Timestamp
from domain.context.commands import MAX_KEY
from domain.context.events import Written, stream_of
from domain.context.layers import Layer, Layers
from domain.context.recording import recorded
from domain.context.residency import Residency
from domain.context.state import fold as fold_write
from domain.context.versions import version_of
from domain.context.view import view
from domain.refusal import ImpossibleEvent, Refusal
from projections.context import ContextProjection
from projections.context_entry import CONTEXT_ENTRY
from projections.tables import STAMPS
from tests.unit.domain.context.given import anything, deliveries, histories, wrote

PROJECTION = ContextProjection()
COLUMNS = [column.name for column in CONTEXT_ENTRY.columns][STAMPS:]
VALUES = ({"a": 1}, {"b": 2.0, "a": True}, {"a": 1, "b": None}, "yes", 3)
HISTORIES = histories(VALUES, (None, 0.5, 3600.0))


def event(write, region="eu"):
    return recorded(write, region, Residency())


def folded(writes, region="eu", state=None, projection=PROJECTION):
    for write in writes:
        state = projection.fold(state, event(write, region))
    return state


def row(*writes, **options):
    return dict(zip(COLUMNS, PROJECTION.row(folded(writes, **options)), strict=True))


@forall(HISTORIES)
def test_a_row_says_what_the_domain_says_of_the_same_writes(writes):
    entry = None
    for write in writes:
        entry = fold_write(entry, write)
    found, shown = row(*writes), view(entry, Layers().situational, "eu")
    assert (found["dots"], found["key"], found["layer"]) == (version_of(entry), "k", "situational")
    assert [Dot(one["node"], one["counter"]) for one in json.loads(found["siblings"])] == [
        write.dot for write in entry.siblings
    ]
    assert Timestamp(found["newest_wall"], found["newest_logical"]) == entry.newest
    assert (found["standing"] in {"single", "settled"}) == shown.present
    if shown.resolution is None:
        assert found["resolution"] is None
    else:
        told = json.loads(found["resolution"])
        assert told == json.loads(json.dumps(shown.resolution._asdict()))


@forall(st.lists(anything(), min_size=1, max_size=8))
def test_a_stored_row_is_the_state_again(writes):
    held = folded(writes)
    assert PROJECTION.state(PROJECTION.row(held)) == held
    again = None
    for write in writes:
        again = folded([write], state=PROJECTION.state(PROJECTION.row(again)) if again else None)
    assert PROJECTION.row(again) == PROJECTION.row(held)


@forall(HISTORIES, st.data())
def test_all_replicas_have_the_same_row_but_for_their_region(writes, data):
    here, there = folded(writes), folded(data.draw(deliveries(writes)), "us")
    assert PROJECTION.row(there)[1:] == PROJECTION.row(here)[1:]
    assert (here.region, there.region) == ("eu", "us")


@forall(HISTORIES, st.data())
def test_a_write_that_is_there_gives_back_the_state_itself_and_no_other_does(writes, data):
    state, there = None, set()
    for write in data.draw(deliveries(writes)):
        after = PROJECTION.fold(state, event(write))
        assert (after is state) == (write.dot in there)
        state, there = after, {*there, write.dot}


def test_a_forked_dot_is_no_duplicate():
    one = folded([wrote("eu-1:1", 5)])
    both = folded([wrote("eu-1:1", True)], state=one)
    assert both is not one
    assert PROJECTION.row(both)[COLUMNS.index("dots")] == "eu-1:1,eu-1:1"


def test_another_write_under_a_dot_that_was_replaced_counts_as_every_replica_counts_it():
    first, second = wrote("eu-1:1", {"a": 1}), wrote("eu-1:2", {"a": 2}, seen="eu-1:1", wall=2000)
    forged = wrote("eu-1:1", {"a": 9}, wall=1500)
    held = folded([first, second])
    assert folded([first], state=held) is held
    assert folded([forged], state=held) == folded([forged, second, first]) != held


def test_a_lone_write_is_single_and_concurrent_ones_are_settled_or_wait():
    ann, bob = wrote("eu-1:1", {"a": 1}, ttl_ms=50), wrote("us-1:1", {"b": 2})
    assert row(ann)["standing"] == "single"
    assert (row(ann)["resolution"], row(ann)["expires_at_ms"], row(bob)["expires_at_ms"]) == (
        None,
        1050,
        None,
    )
    settled = row(ann, bob)
    assert (settled["standing"], settled["expires_at_ms"]) == ("settled", 1050)
    told = json.loads(settled["resolution"])
    assert (told["resolution"], told["merged_context"]) == ("semantic_merge", {"a": 1, "b": 2})
    undecided = row(ann, wrote("us-1:1", {"a": 2}))
    assert undecided["standing"] == "undecided"
    assert json.loads(undecided["resolution"])["contradictions"] == ["/a"]


def test_what_is_over_by_the_log_stands_no_more_and_no_clock_of_ours_is_asked():
    late = wrote("us-1:1", 2, wall=5000, ttl_ms=1)
    assert row(wrote("eu-1:1", 1, ttl_ms=50), late)["dots"] == "us-1:1"
    over = row(late, wrote("eu-1:1", 1, ttl_ms=50), wrote("us-1:2", 3, seen="us-1:1", wall=4000, ttl_ms=1))
    assert (over["standing"], over["dots"], over["siblings"]) == ("expired", "none", "[]")
    assert (over["expires_at_ms"], over["resolution"], over["newest_wall"]) == (None, None, 5000)


def test_each_region_prefers_by_the_layers_rule():
    layers = Layers(situational=Layer(1.0, "regional_preference", None))
    writes = [wrote("eu-1:1", "Moin"), wrote("us-1:1", "Hi")]
    values = {
        region: json.loads(folded(writes, region, projection=ContextProjection(layers)).resolution)
        for region in ("eu", "us")
    }
    assert {region: told["merged_context"] for region, told in values.items()} == {"eu": "Moin", "us": "Hi"}


def test_a_time_to_live_beyond_all_bounds_is_for_ever():
    assert row(wrote("eu-1:1", ttl_ms=2**63 - 1))["expires_at_ms"] is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"data": OTHERS[0]}, "type"),
        ({"version": 2}, "streamversion"),
        ({"time": event(wrote("eu-1:1")).time + timedelta(milliseconds=1)}, "time"),
        ({"stream": stream_of("eu", "situational", "another")}, "subject"),
        ({"stream": stream_of("eu", "cultural", "k")}, "subject"),
        ({"stream": "context/k"}, "subject"),
    ],
)
def test_an_event_that_contradicts_its_write_is_impossible(changes, field):
    forged = replace(event(wrote("eu-1:1")), **changes)
    with pytest.raises(ImpossibleEvent) as refused:
        PROJECTION.fold(None, forged)
    assert refused.value.field == field


@pytest.mark.parametrize("field", ["layer", "key"])
def test_a_write_of_no_layer_or_of_too_long_a_key_is_refused(field):
    name = {"layer": "eternal", "key": "k" * (MAX_KEY + 1)}[field]
    write = replace(wrote("eu-1:1"), **{field: name})
    with pytest.raises(Refusal) as refused:
        PROJECTION.fold(None, event(write))
    assert refused.value.field == field
    assert isinstance(event(write).data, Written)


def test_a_write_of_another_key_in_the_stream_is_impossible():
    with pytest.raises(ImpossibleEvent, match="another key"):
        PROJECTION.fold(folded([wrote("eu-1:1")]), event(replace(wrote("us-1:1"), key="q")))
