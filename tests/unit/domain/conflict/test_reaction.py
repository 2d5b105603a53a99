"""Whose siblings are, what their case says, and who may hear it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.causality.causal_context import Dot
from domain.conflict.case import ContextKey
from domain.conflict.coalescing import NO_RECORD, coalesce
from domain.conflict.levels import initial_level
from domain.conflict.local import Task, apply_rule
from domain.conflict.matter import MAX_POSITIONS, check_matter
from domain.conflict.reaction import MOST_OPEN, Reaction, growth, home_region, opening, position, reported
from domain.consensus.commands import Voter
from domain.context.decide import merged
from domain.context.state import fold
from domain.refusal import Refusal
from domain.stream import check_id
from tests.unit.domain.context.given import wrote

KEY = ContextKey("situational", "k")
REGIONS = st.sets(st.sampled_from(["ap", "asia", "eu", "sa", "us"]), min_size=1)
ONE, OTHER = wrote("eu-1:1", {"beds": 9}, region="eu"), wrote("us-1:1", {"beds": 7}, region="us")


def opened(*writes, reaction=None, home="eu"):
    writes, reaction = writes or (ONE, OTHER), reaction or Reaction()
    held = {write.dot: write for write in writes}
    flags = {flag for write in writes for flag in write.flags}
    _, start = coalesce(NO_RECORD, reported(KEY, held, flags, reaction))
    return opening(start, held, home, reaction)


@given(REGIONS, st.text(max_size=5))
def test_one_region_decides_about_a_key_and_others_leave_it_where_it_is(regions, key):
    home = home_region("situational", key, regions)
    assert home in regions
    for gone in regions - {home}:
        assert home_region("situational", key, regions - {gone}) == home
    assert home_region("situational", key, ()) is None


def test_keys_are_spread_over_the_regions():
    homes = [home_region("situational", f"k{n}", ["eu", "us"]) for n in range(200)]
    assert 60 < homes.count("eu") < 140


def test_a_case_names_its_home_first_its_writes_and_what_each_of_them_says():
    case = opened(home="us")
    assert case.regions == ("us", "eu")
    assert [(p.id, p.party, p.claim, p.region) for p in case.positions] == [
        ("eu-1-1", "ann", '{"beds":9}', "eu"),
        ("us-1-1", "ann", '{"beds":7}', "us"),
    ]
    assert [p.dot for p in case.positions] == [ONE.dot, OTHER.dot]
    assert (case.context, case.layer, case.critical, case.severity) == (KEY, "situational", False, 0.5)


@pytest.mark.parametrize(("other", "level"), [("us", 3), ("eu", 2)])
def test_the_rule_was_tried_so_that_a_case_never_begins_at_level_1(other, level):
    case = opened(ONE, replace(OTHER, region=other), reaction=Reaction(severity=0.1))
    assert initial_level(case.case)[0] == level


def test_a_flag_makes_it_critical_and_flags_make_it_urgent():
    write = replace(OTHER, flags=("personality_critical", "user_facing"))
    assert opened(ONE, write).critical
    assert not opened(ONE, write, reaction=Reaction(critical=())).critical
    assert reported(KEY, [], ["personality_critical"], Reaction()).priority == 80


def test_a_writer_or_node_that_is_no_id_is_named_by_a_hash():
    found = position(wrote("case.c-1:1", 1, writer="Ann of Kent"))
    check_id(found.id)
    check_id(found.party)
    assert found.party == position(wrote("x:2", 1, writer="Ann of Kent")).party
    assert found.party != position(wrote("x:2", 1, writer="Ann of Kant")).party


@pytest.mark.parametrize(
    "value", ["\u00e9" * 1_400, "a" * 30_000, {"a": ["\U0001f600" * 9_000]}, '"' * 1_500]
)
def test_what_is_too_large_is_told_by_its_beginning_and_its_hash_and_never_merged(value):
    writes = [wrote(f"n{n}:1", [n, value]) for n in range(MAX_POSITIONS)]
    case = opened(*writes)
    check_matter(case.positions, ())
    assert "SHA-256" in case.positions[0].claim
    assert len({p.claim for p in case.positions}) == MAX_POSITIONS
    found = apply_rule(Task("semantic_merge", case.case, MAX_POSITIONS))
    assert (found.choice, found.resolution) == (None, None)


def test_an_open_case_grows_by_the_writes_it_has_not():
    assert growth([OTHER.dot], {OTHER.dot: OTHER}).positions == (position(OTHER),)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("open_cases", 0),
        ("open_cases", MOST_OPEN + 1),
        ("regions", ("EU",)),
        ("regions", ("eu", "eu")),
        ("severity", 1.1),
        ("severity", float("nan")),
        ("members", (Voter("a"), Voter("a"))),
        ("members", tuple(Voter(f"m{n}") for n in range(5_001))),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field(field, value):
    with pytest.raises(Refusal, match=f"^{field}: "):
        Reaction(**{field: value})


def test_a_merge_is_the_same_write_whoever_makes_it_and_replaces_what_it_merged():
    write = merged([ONE, OTHER], {"beds": 8}, "eu")
    assert write == merged([OTHER, ONE], {"beds": 8}, "eu")
    assert (write.case, write.counter, write.wall) == (None, 1, max(ONE.wall, OTHER.wall))
    assert write.node != merged([ONE], 1, "eu").node
    assert fold(fold(fold(None, ONE), OTHER), write).siblings == (write,)
    assert merged([replace(ONE, ttl_ms=4), replace(OTHER, ttl_ms=7)], 1, "eu").ttl_ms == 7
    assert merged([replace(ONE, ttl_ms=4), replace(OTHER, ttl_ms=None)], 1, "eu").ttl_ms is None
    assert Dot(write.node, 1) == write.dot
