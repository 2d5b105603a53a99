"""`moot demo`: what it takes, and that its input is what its pages say."""

import json
import os
from collections import Counter

import pytest

from cli import demo, demo_conflict
from cli import demo_timezones as zones
from cli.main import main
from domain.causality.hybrid_clock import ZERO
from domain.conflict.levels import LEVELS
from domain.context.ancestors import NO_ANCESTOR
from domain.context.canonical import canonical
from domain.context.events import Written
from domain.context.layers import NAMES
from domain.context.rules.conflict import Conflict
from domain.context.rules.registry import strategy
from workers import context_policy, reaction_file


@pytest.fixture
def parts(monkeypatch):
    """Which part ran, without a stack."""
    ran = []
    for name in demo.PARTS:
        monkeypatch.setattr(
            demo, f"_{name}", lambda *, quiet, name=name: (ran.append((name, quiet)), ({}, "kept"))[1]
        )
    return ran


@pytest.mark.parametrize(
    ("words", "ran"),
    [([], "consensus"), *(([part], part) for part in demo.PARTS)],
)
def test_the_demo_is_of_consensus_unless_another_part_is_named(parts, capsys, words, ran):
    assert main(["demo", *words]) == 0
    assert capsys.readouterr().out.startswith("\ndone in ")
    assert main(["demo", *words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out).keys() == {"seconds"}
    assert parts == [(ran, False), (ran, True)]


def test_another_part_is_refused_by_name(parts, capsys):
    assert (main(["demo", "magic"]), parts) == (2, [])
    assert "'magic' is not one of 'consensus', 'conflict', 'learning'" in capsys.readouterr().err


def test_servers_and_policies_of_the_users_are_left_alone(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOLKMOOT_KAFKA", "production:9092")
    monkeypatch.setenv("TEMPORAL_ADDRESS", "production:7233")
    monkeypatch.setenv("FOLKMOOT_CACHE", "/cache")
    before = dict(os.environ)
    with demo_conflict.environment() as data:
        assert data == tmp_path / ".folkmoot" / "conflict-demo"
        assert not {"FOLKMOOT_KAFKA", "TEMPORAL_ADDRESS"} & os.environ.keys()
        assert (os.environ["FOLKMOOT_DATA"], os.environ["FOLKMOOT_CACHE"]) == (str(data), "/cache")
    assert dict(os.environ) == before


def test_the_statements_fill_all_four_layers_and_come_from_every_region():
    said = zones.statements()
    assert {one.layer for one in said} == set(NAMES)
    assert {one.node for one in said} == zones.REGION_OF.keys()
    assert len({(one.node, one.key, one.before) for one in said}) == len(said) == 47
    assert set(zones.READERS) | {zones.UNASKING} == zones.REGION_OF.keys()
    assert {zones.REGION_OF[node] for node in zones.READERS} == set(zones.REGIONS)


def test_exactly_the_keys_that_are_voted_on_are_settled_by_no_rule():
    said = [one for one in zones.statements() if not one.before and one.layer == "situational"]
    disputed = set()
    for key in {one.key for one in said}:
        writes = tuple(
            Written(one.layer, key, one.value, one.node, zones.REGION_OF[one.node], one.node, 1, wall=1)
            for one in said
            if one.key == key and key != "zone/Africa/Accra"  # its ancestor is what makes it mergeable
        )
        if (
            writes
            and strategy("semantic_merge")(
                Conflict(writes, "semantic_merge", newest=ZERO, ancestor=NO_ANCESTOR)
            ).resolution
            is None
        ):
            disputed.add(key)
    assert disputed == zones.says().keys()


def test_a_member_votes_for_the_claim_of_its_regions_distribution_or_abstains():
    claims = {"debian-tzdata-1": '{"local_mean_time": 1172}', "icu-1": '{"local_mean_time":1050}'}
    assert zones.ballot({"local_mean_time": 1050}, claims) == "icu-1"
    assert zones.ballot({"local_mean_time": 7}, claims) is None


def test_every_vote_is_what_the_regions_own_statement_is_where_it_states_one():
    stated = {
        (one.key, zones.REGION_OF[one.node]): canonical(one.value)
        for one in zones.statements()
        if one.node in zones.READERS
    }
    votes = {
        (key, region): canonical(value)
        for key, by_region in zones.says().items()
        for region, value in by_region.items()
    }
    both = votes.keys() & stated.keys()
    assert len(both) == 3
    assert {place: votes[place] for place in both} == {place: stated[place] for place in both}


def test_the_policies_are_read_and_seat_every_level():
    layers = context_policy.load(zones.CONTEXT_POLICY, {}).layers
    assert set(layers.cultural.precedence) == set(zones.REGIONS)
    assert max(layers.named(name).sync_seconds for name in NAMES) <= 3
    reaction = reaction_file.load({reaction_file.VARIABLE: str(zones.CONFLICT_POLICY)})
    seats = Counter(member.region for member in reaction.members)
    home = reaction.regions[0]
    assert seats[home] >= LEVELS[1].seats
    assert sum(seats.values()) - seats[home] >= LEVELS[2].seats
    assert sum(seats.values()) == LEVELS[3].seats
