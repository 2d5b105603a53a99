"""Where a case begins: each row of the table, one row for every case, and no level beside the four."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.conflict.case import Case, Position
from domain.conflict.levels import JUDGED, RULED, TABLE, UnknownLevel, initial_level, level
from domain.refusal import Refusal
from tests.unit.domain.conflict.given import CASE

PLAIN = CASE.case


def case(kind="concurrent_write", severity=0.1, regions=("eu",), *, critical=False):
    return replace(PLAIN, kind=kind, severity=severity, regions=regions, critical=critical)


@pytest.mark.parametrize(
    ("expected", "row", "given_"),
    [
        (4, 0, {"critical": True, "severity": 0.0}),
        (4, 0, {"critical": True, "severity": 1.0, "kind": "policy", "regions": ("eu", "us")}),
        (1, 1, {"severity": 0.0}),
        (1, 1, {"severity": 0.49, "regions": ("eu", "us"), "kind": "temporal"}),
        (2, 2, {"severity": 0.5, "kind": "regional"}),
        (2, 2, {"severity": 0.79}),
        (3, 3, {"severity": 0.5, "regions": ("eu", "us")}),
        (2, 4, {"severity": 0.0, "kind": "contradiction"}),
        (2, 4, {"severity": 0.79, "kind": "policy"}),
        (3, 5, {"severity": 0.0, "kind": "contradiction", "regions": ("eu", "us")}),
        (3, 6, {"severity": 0.8}),
        (3, 6, {"severity": 1.0, "kind": "policy", "regions": ("eu", "us")}),
    ],
)
def test_each_row_of_the_table_says_where_its_cases_begin(expected, row, given_):
    assert initial_level(case(**given_)) == (expected, TABLE[row].why)


@given(
    st.sampled_from(sorted(RULED | JUDGED)),
    st.floats(0, 1) | st.sampled_from([0.0, 0.5, 0.8, 1.0]),
    st.sampled_from([("eu",), ("eu", "us"), ("eu", "us", "asia")]),
    st.booleans(),
)
def test_exactly_one_row_holds_for_every_case(kind, severity, regions, critical):
    found = case(kind, severity, regions, critical=critical)
    assert sum(row.holds(found) for row in TABLE) == 1


@given(
    st.sampled_from(sorted(RULED | JUDGED)),
    st.floats(0, 1),
    st.floats(0, 1),
    st.sampled_from([("eu",), ("eu", "us")]),
)
def test_a_more_severe_or_a_critical_case_never_begins_lower(kind, one, other, regions):
    low, high = sorted((one, other))
    begins = initial_level(case(kind, high, regions))[0]
    assert initial_level(case(kind, low, regions))[0] <= begins
    assert begins <= initial_level(case(kind, high, regions, critical=True))[0] == 4


def test_a_position_from_elsewhere_makes_several_regions():
    far = Position("p9", "zoe", "far", region="us")
    found = replace(case("policy"), positions=(*PLAIN.positions, far))
    assert found.all_regions == ("eu", "us")
    assert initial_level(found)[0] == 3


@pytest.mark.parametrize("number", [0, -1, 5, 400])
def test_a_level_that_there_is_not_is_named(number):
    with pytest.raises(UnknownLevel) as caught:
        level(number)
    assert str(caught.value) == f"Unknown resolution level: {number}"
    with pytest.raises(UnknownLevel):
        initial_level(PLAIN, number)


def test_the_four_levels_have_their_seats():
    assert [(level(n).number, level(n).seats, level(n).regions) for n in (1, 2, 3, 4)] == [
        (1, 0, 0),
        (2, 3, 1),
        (3, 7, 2),
        (4, 15, 0),
    ]


def test_a_level_may_be_asked_for_and_the_record_says_so():
    assert initial_level(PLAIN, 3) == (3, "asked for; the table says 2: too severe for a rule alone")


def test_a_critical_case_is_not_taken_past_its_person():
    with pytest.raises(
        Refusal, match=r"^level: 2 is below 4, where every critical case begins; leave it out$"
    ):
        initial_level(case(critical=True), 2)
    assert initial_level(case(critical=True), 4)[0] == 4


def test_a_case_knows_its_positions_by_id():
    assert PLAIN.position("p2").party == "bob"
    with pytest.raises(KeyError):
        PLAIN.position("p9")
    assert isinstance(PLAIN, Case)
