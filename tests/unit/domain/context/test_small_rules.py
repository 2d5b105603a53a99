"""Order, expiry, priority, streams: small rules with one promise each."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.causality.causal_context import CausalContext, Dot
from domain.causality.hybrid_clock import Timestamp
from domain.context.events import EVENTS, Written, fingerprint, stream_of
from domain.context.expiry import NEVER, expired, expires_at, shown
from domain.context.order import newest, newest_first
from domain.context.priority import sync_priority
from domain.stream import ITEM_ID
from tests.unit.domain.context.given import anything, deliveries, wrote


def test_stored_names_are_pinned():
    assert [event.TYPE for event in EVENTS] == ["context.written.v1"]
    assert Written in EVENTS


@given(st.lists(anything(), min_size=1, max_size=5), st.data())
def test_the_total_order_does_not_depend_on_the_order_or_number_of_arrival(writes, data):
    ordered = newest_first(writes)
    assert [*map(fingerprint, newest_first(data.draw(deliveries(writes))))] == [*map(fingerprint, ordered)]
    assert len({*map(fingerprint, writes)}) == len(ordered)
    assert newest(writes) == ordered[0]


def test_clock_comes_before_node_and_node_before_hash():
    first, second = wrote("b:1", wall=1), wrote("a:1", wall=1, logical=1)
    assert newest_first([first, second, wrote("c:1", wall=1)]) == (second, wrote("c:1", wall=1), first)
    twins = [wrote("a:1", "x", wall=1), wrote("a:1", "y", wall=1)]
    by_hash = tuple(sorted(twins, key=fingerprint, reverse=True))
    assert newest_first(twins) == newest_first(reversed(twins)) == by_hash


def test_every_field_of_a_write_is_in_its_fingerprint():
    write = wrote("a:2", 1, seen="a:1", beyond={"b": (2,)})
    other = wrote("b:3", True, layer="cultural", key="q", writer="bob", wall=7, logical=1, ttl_ms=5)
    other = replace(other, flags=("historical",), case="c", region="ap", seen={"c": 1}, beyond={})
    changed = [replace(write, **{name: getattr(other, name)}) for name in Written.__slots__]
    assert len({fingerprint(one) for one in [write, *changed]}) == len(Written.__slots__) + 1


def test_what_a_writer_had_seen_is_put_into_normal_form():
    write = wrote("eu:9", seen="us:1", beyond={"us": (2, 4), "ap": (2,)})
    assert write.context == CausalContext({"us": 2}, frozenset({Dot("us", 4), Dot("ap", 2)}))


def test_a_stream_is_named_for_layer_and_key_whatever_the_key_holds():
    names = {
        stream_of("eu", layer, key)
        for layer in ("cultural", "immediate")
        for key in ("a/b", "ä\n", "", "x" * 999)
    }
    assert len(names) == 8
    assert all(re.fullmatch(f"context/{ITEM_ID.pattern}", name) for name in names)
    assert (
        stream_of("eu-1", "cultural", "greeting") == "context/eu-1.cultural.18f6b0200b6fd32ce4e85b6c841f7224"
    )


def test_a_write_stands_until_its_time_is_over_and_for_ever_without_one():
    write = wrote("a:1", wall=100, ttl_ms=50)
    assert expires_at(write) == 150
    assert not expired(write, Timestamp(149, 9))
    assert expired(write, Timestamp(150))
    assert expires_at(wrote("a:1")) == NEVER
    assert not expired(wrote("a:1", wall=0), Timestamp(NEVER))


def test_a_readers_clock_hides_and_takes_nothing_away():
    stays, goes = wrote("a:1", wall=100), wrote("b:1", wall=100, ttl_ms=50)
    assert shown((stays, goes), 149) == (stays, goes)
    assert shown((stays, goes), 150) == (stays,)


@pytest.mark.parametrize(
    ("flags", "priority"),
    [
        ((), 50),
        (("user_facing",), 100),
        (("personality_critical",), 80),
        (("conflict_resolution",), 90),
        (("historical",), 30),
        (("historical", "personality_critical"), 60),
        (("user_facing", "personality_critical", "conflict_resolution"), 100),
        (("personality_critical", "personality_critical"), 80),
    ],
)
def test_sync_priority_is_fifty_and_what_the_flags_add_clamped(flags, priority):
    assert sync_priority(flags) == priority
