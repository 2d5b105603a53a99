"""A ruling as a write of the context: deterministic, over what it covers and nothing else."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from domain.conflict.applied import Application, is_due, ruling
from domain.conflict.case import Case, ContextKey, Position
from domain.conflict.events import Resolved
from domain.context.state import fold
from domain.refusal import Refusal
from tests.unit.domain.context.given import wrote

ONE, OTHER = wrote("eu-1:1", {"beds": 9}), wrote("us-1:1", {"beds": 7})
POSITIONS = (
    Position("p1", "ann", "nine, at length", dot=ONE.dot, region="eu"),
    Position("p2", "bob", '{"beds": 7}', dot=OTHER.dot, region="us"),
    Position("p3", "cem", "eight"),
)
CASE = Case(
    "c1",
    "Which?",
    "contradiction",
    "situational",
    ("eu", "us"),
    0.5,
    False,
    POSITIONS,
    context=ContextKey("situational", ONE.key),
)
RESOLVED = Resolved("nine, at length", "p1", 2, 0, "consensus", False, ("so",), (ONE.dot, OTHER.dot), ())
AT = datetime(2026, 11, 21, 12, tzinfo=UTC)


def applied(writes=(ONE, OTHER), case=CASE, **changes):
    return ruling(Application(case, replace(RESOLVED, **changes), AT), writes)


def test_a_chosen_sibling_stands_as_it_was_written_and_the_siblings_are_replaced():
    write = applied()
    assert write.value == ONE.value
    assert (write.node, write.counter, write.case, write.region) == ("case.c1", 1, "c1", "eu")
    assert write.flags == ("conflict_resolution",)
    for order in ((ONE, OTHER, write), (write, OTHER, ONE)):
        entry = None
        for one in order:
            entry = fold(entry, one)
        assert entry.siblings == (write,)


def test_it_is_the_same_write_whoever_makes_it_and_in_whatever_order_the_writes_come():
    assert applied() == applied((OTHER, ONE)) == applied((wrote("x:1", 1), OTHER, ONE))


@pytest.mark.parametrize(
    ("resolution", "choice", "value"),
    [('{"beds": 8}', None, {"beds": 8}), ("eight", "p3", "eight"), ('{"beds": 7}', "p2", {"beds": 7})],
)
def test_a_merge_or_the_claim_of_who_wrote_nothing_stands_as_json_or_else_as_text(resolution, choice, value):
    assert applied(resolution=resolution, choice=choice).value == value


def test_what_it_does_not_cover_stays_beside_it():
    write = applied(covers=(ONE.dot,))
    entry = fold(fold(fold(None, ONE), OTHER), write)
    assert {one.node for one in entry.siblings} == {"us-1", "case.c1"}


def test_it_lives_as_long_as_the_longest_lived_of_what_it_covers():
    assert applied((replace(ONE, ttl_ms=5), replace(OTHER, ttl_ms=9))).ttl_ms == 9
    assert applied((replace(ONE, ttl_ms=None), OTHER)).ttl_ms is None


def test_a_write_that_is_not_known_is_refused_by_its_dot():
    with pytest.raises(Refusal, match="covers: us-1:1 of the case is not known"):
        applied((ONE,))


def test_nothing_is_due_without_an_entry_or_a_covered_write():
    assert is_due(CASE, RESOLVED)
    assert not is_due(replace(CASE, context=None), RESOLVED)
    assert not is_due(CASE, replace(RESOLVED, covers=()))
    with pytest.raises(Refusal, match="no entry"):
        applied(case=replace(CASE, context=None))
