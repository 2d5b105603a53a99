"""A put says what its writer had seen; a ruling covers what was judged, and nothing else."""

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.causality.hybrid_clock import Timestamp
from domain.context.canonical import MAX_VALUE_BYTES
from domain.context.commands import MAX_KEY, PutContext
from domain.context.decide import Node, put, rule
from domain.context.layers import Layer, Layers
from domain.context.replica import canonical_bytes
from domain.context.residency import Pin, PinnedElsewhere, Residency
from domain.context.state import absorb, fold
from domain.context.versions import VersionMoved, version_of
from domain.refusal import Refusal
from tests.unit.domain.context.given import anything, deliveries, histories, wrote

NODE = Node("eu-1", "eu", Timestamp(50))


def entry_of(*writes):
    return reduce(fold, writes, None)


def command(value=1, **fields):
    return PutContext(**({"layer": "situational", "key": "k", "value": value, "writer": "ann"} | fields))


def putting(entry=None, now_ms=100, *, node=NODE, layers=Layers(), pins=(), merge_text=None, **fields):  # noqa: B008 # frozen
    residency = Residency(pins)
    return put(
        entry, command(**fields), node, now_ms, layers=layers, residency=residency, merge_text=merge_text
    )


def test_the_first_write_of_a_key_has_seen_nothing():
    write = putting(value={"a": 1}, flags=("user_facing", "historical", "user_facing"))
    assert write == wrote(
        "eu-1:1", {"a": 1}, wall=100, ttl_ms=3_600_000, flags=("historical", "user_facing"), region="eu"
    )


def test_the_next_has_seen_what_arrived_and_follows_it_in_time():
    entry = entry_of(wrote("us:1", 1, wall=700, logical=3), wrote("eu-1:1", 2, seen="us:1", wall=600))
    write = putting(entry)
    assert (write.counter, write.seen) == (2, {"us": 1, "eu-1": 1})
    assert write.clock == Timestamp(700, 4)
    assert putting(entry, 900).clock == Timestamp(900)
    assert putting(entry, node=Node("eu-1", "eu", Timestamp(800))).clock == Timestamp(800, 1)


@given(st.lists(anything(), min_size=1, max_size=5))
def test_a_put_over_what_was_read_stands_alone_whatever_was_there(writes):
    entry = entry_of(*writes)
    after, standing = absorb(entry, putting(entry, 0, if_version=version_of(entry), ttl_seconds=1))
    assert standing == "new"
    assert len(after.siblings) == 1


@given(histories(), st.integers(0, 3_000_000))
def test_a_nodes_dots_are_never_given_twice(writes, now_ms):
    entry = entry_of(*writes)
    for node in ("a", "b", "c", "new"):
        write = putting(entry, now_ms, node=Node(node, "eu"))
        assert write.dot not in {other.dot for other in writes}
        assert write.clock > max(other.clock for other in writes)


def test_siblings_that_wait_for_a_decision_are_not_replaced_by_who_has_not_read_them():
    entry = entry_of(wrote("us:1", 1), wrote("eu-1:1", 2), wrote("eu-1:3", 3))
    blind = putting(entry)
    assert (blind.seen, blind.beyond, blind.counter) == ({"eu-1": 1}, {"eu-1": (3,)}, 4)
    assert [write.value for write in fold(entry, blind).siblings] == [1, 1]
    other = putting(entry, node=Node("ap", "ap"))
    assert (other.seen, other.beyond) == ({}, {})
    assert putting(entry, if_version=version_of(entry)).seen == {"us": 1, "eu-1": 1}


def test_siblings_that_a_rule_settles_are_replaced():
    entry = entry_of(wrote("us:1", {"a": 1}), wrote("ap:1", {"b": 1}))
    assert putting(entry).seen == {"us": 1, "ap": 1}
    newest_wins = Layers(situational=Layer(0, "last_writer_wins", None))
    scalars = entry_of(wrote("us:1", 1), wrote("ap:1", 2))
    assert putting(scalars, layers=newest_wins).seen == {"us": 1, "ap": 1}
    assert putting(scalars).seen == {}


def test_a_text_merge_settles_for_a_put_too():
    base = "Bread is baked here. Cheese comes by ship. Wine is kept below."
    one, two = base.replace("Bread", "Dark bread"), base.replace("Wine", "Sweet wine")
    entry = entry_of(wrote("us:1", base), wrote("us:2", one, seen="us:1"), wrote("ap:1", two, seen="us:1"))
    assert putting(entry).seen == {}
    assert putting(entry, merge_text=lambda *_: one.replace("Wine", "Sweet wine")).seen == {"us": 2, "ap": 1}


def test_a_time_to_live_is_the_layers_unless_the_writer_says_otherwise():
    assert putting(layer="historical").ttl_ms == 30 * 86_400_000
    assert putting(ttl_seconds=1.5).ttl_ms == 1500
    assert putting(layers=Layers(situational=Layer(0, "ai_mediation", None))).ttl_ms is None


def test_a_put_over_another_version_or_in_a_region_that_may_not_hold_it_is_refused():
    entry = entry_of(wrote("us:1", 1))
    assert putting(entry, if_version="us:1").seen == {"us": 1}
    with pytest.raises(VersionMoved):
        putting(entry, if_version="us:2")
    with pytest.raises(PinnedElsewhere):
        putting(pins=(Pin(("us",), key="k"),))
    assert putting(pins=(Pin(("eu",), key="k"),)).region == "eu"


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"layer": "social"}, r"^layer: 'social' is none of immediate"),
        ({"key": ""}, "^key: has 0 characters, and may have 1 to 512"),
        ({"key": "x" * (MAX_KEY + 1)}, "^key: has 513 characters"),
        ({"key": "a\x1b[2J"}, r"^key: holds a control character: 'a.x1b"),
        ({"key": "a\nb"}, "^key: holds a control character"),
        ({"key": "a\tb"}, "^key: holds a control character"),
        ({"key": "a\rb"}, "^key: holds a control character"),
        ({"key": "\ud800"}, "^key: holds a lone surrogate"),
        ({"writer": ""}, "^writer: has 0 characters, and may have 1 to 128"),
        ({"value": "x" * MAX_VALUE_BYTES}, "^value: has 65538 bytes"),
        ({"value": [float("nan")]}, r"^value\[0\]: holds nan"),
        ({"flags": ("loud",)}, "^flags: 'loud' is none of user_facing, personality_critical"),
        ({"ttl_seconds": 0}, r"^ttl_seconds: 0 is outside 0.001 to"),
        ({"ttl_seconds": float("nan")}, "^ttl_seconds: nan is outside"),
        ({"ttl_seconds": 1e10}, "^ttl_seconds: "),
    ],
)
def test_a_command_that_makes_no_sense_is_refused_by_its_field(fields, problem):
    with pytest.raises(Refusal, match=problem):
        command(**fields)


def ruling(siblings, value="ruled", number=1, now_ms=0):
    return rule(siblings, value, case="c7", number=number, writer="panel", region="eu", now_ms=now_ms)


@given(st.lists(anything(), min_size=1, max_size=5), st.data())
def test_a_ruling_covers_all_siblings_in_every_region_and_is_applied_once(writes, data):
    judged = entry_of(*writes).siblings
    if not judged:
        return
    ruled = ruling(judged)
    regions = [entry_of(*data.draw(deliveries([*writes, ruled, ruled]))) for _ in range(2)]
    assert canonical_bytes(regions[0]) == canonical_bytes(regions[1])
    assert regions[0].siblings == (ruled,)
    assert absorb(regions[0], ruled) == (regions[0], "duplicate")


def test_what_was_written_while_the_panel_sat_stays_beside_the_ruling():
    one, two = wrote("eu:1", 1), wrote("us:1", 2, beyond={"ap": (2,)})
    late = wrote("us:2", 3, seen="us:1")
    ruled = ruling([one, two])
    assert (ruled.seen, ruled.beyond) == ({"eu": 1, "us": 1}, {"ap": (2,)})
    assert {write.dot for write in entry_of(one, two, late, ruled).siblings} == {late.dot, ruled.dot}


def test_a_ruling_names_its_case_and_is_later_than_what_it_judges():
    siblings = [wrote("eu:1", 1, wall=10), wrote("us:1", 2, wall=30, logical=4)]
    ruled = ruling(siblings, number=2)
    assert (ruled.node, ruled.counter, ruled.case) == ("case.c7", 2, "c7")
    assert ruled.flags == ("conflict_resolution",)
    assert ruled.clock == Timestamp(30, 5)
    assert ruling(siblings, number=2, now_ms=40).clock == Timestamp(40)
    assert ruling(siblings, number=2) == ruled


def test_a_ruling_on_nothing_on_two_keys_or_with_no_value_is_refused():
    for siblings in ([], [wrote("eu:1"), wrote("eu:1", key="other")]):
        with pytest.raises(Refusal, match=r"^siblings: of one key"):
            ruling(siblings)
    with pytest.raises(Refusal, match=r"^value"):
        ruling([wrote("eu:1")], value=float("inf"))
