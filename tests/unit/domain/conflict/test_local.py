"""Level 1: a layer's rule on the positions of a case, which settles nothing rather than guess."""

from dataclasses import replace

import pytest

from domain.conflict.case import Position
from domain.conflict.events import RuleApplied
from domain.conflict.local import Task, apply_rule
from tests.unit.domain.conflict.given import CASE


def applied(rule, *claims, regions=("eu",), of=("eu", "eu", "eu")):
    places = [None if region == "-" else region for region in of]
    positions = tuple(Position(f"p{n}", f"party{n}", claim, (), places[n]) for n, claim in enumerate(claims))
    case = replace(CASE.case, positions=positions, evidence=(), regions=regions)
    return apply_rule(Task(rule, case, len(positions)))


def test_positions_bear_no_time_so_that_the_last_writer_is_not_guessed():
    found = applied("last_writer_wins", "1", "2")
    assert (found.choice, found.resolution) == (None, None)
    assert found.reason == "the positions bear no time, so that none is known to be the last"


def test_objects_that_contradict_each_other_nowhere_are_merged_whole():
    found = applied("semantic_merge", '{"beds": 9}', '{"porter": "Kim"}')
    assert found == RuleApplied(
        "semantic_merge", None, '{"beds":9,"porter":"Kim"}', "2 siblings contradict each other nowhere"
    )


def test_a_merge_that_comes_to_one_position_s_value_chooses_that_position():
    found = applied("semantic_merge", '{"beds": 9}', '{"beds": 9, "porter": "Kim"}')
    assert (found.choice, found.resolution) == ("p1", None)


def test_a_contradiction_is_named_by_its_pointer_and_settles_nothing():
    found = applied("semantic_merge", '{"beds": 9}', '{"beds": 7}')
    assert (found.choice, found.resolution) == (None, None)
    assert found.reason == "2 siblings contradict each other: /beds"


@pytest.mark.parametrize("claims", [("nine beds", "seven beds"), ("{not json", "{")])
def test_texts_are_never_merged(claims):
    assert applied("semantic_merge", *claims).reason.endswith("the whole value")


def test_events_that_state_their_time_are_joined_in_that_order():
    later, earlier = '{"at": "2026-01-02T00:00:00Z", "n": 2}', '{"at": "2026-01-01T00:00:00Z", "n": 1}'
    found = applied("temporal_merge", later, earlier)
    assert found.choice is None
    assert found.resolution == ('[{"at":"2026-01-01T00:00:00Z","n":1},{"at":"2026-01-02T00:00:00Z","n":2}]')


def test_an_event_that_states_no_time_is_not_given_one():
    found = applied("temporal_merge", '{"n": 2}', '{"at": "2026-01-01T00:00:00Z", "n": 1}')
    assert (found.choice, found.resolution) == (None, None)
    assert "does not state its time" in found.reason


def test_the_first_region_of_the_case_is_preferred_where_one_position_speaks_for_it():
    found = applied("regional_preference", "a", "b", regions=("us", "eu"), of=("eu", "us"))
    assert (found.choice, found.reason) == ("p1", "us comes first among the regions of the case")
    found = applied("regional_preference", "a", "b", regions=("us", "eu"), of=("-", "eu"))
    assert found.choice == "p1"


def test_two_of_one_region_or_none_of_any_settle_nothing():
    assert applied("regional_preference", "a", "b").reason == "2 positions speak for eu"
    nobody = applied("regional_preference", "a", "b", of=("asia", "-"))
    assert nobody.reason == "no position speaks for a region of the case"


def test_positions_that_came_later_are_not_looked_at():
    positions = tuple(
        Position(f"p{n}", "ann", claim) for n, claim in enumerate(('{"a":1}', '{"b":2}', '{"a":3}'))
    )
    case = replace(CASE.case, positions=positions, evidence=())
    assert apply_rule(Task("semantic_merge", case, 2)).resolution == '{"a":1,"b":2}'
