"""One case a key, growing while open; nothing opened twice, nothing dropped, the worst first."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.causality.causal_context import Dot
from domain.conflict.case import ContextKey
from domain.conflict.coalescing import (
    NO_RECORD,
    GrowOpenCase,
    Siblings,
    StartCase,
    Waiting,
    admit,
    case_id,
    close,
    coalesce,
)
from domain.conflict.matter import MAX_POSITIONS
from domain.stream import check_id
from tests.unit.drawing import examples

KEY = ContextKey("situational", "ward-3/beds")
A, B, C = Dot("a", 1), Dot("b", 1), Dot("c", 1)
DOTS = st.sampled_from([Dot(writer, counter) for writer in "abc" for counter in range(1, 6)])
CONFLICTS = st.frozensets(DOTS, min_size=2, max_size=4)
REPORTS = st.frozensets(DOTS, min_size=1, max_size=4)


def siblings(*dots, **fields):
    return Siblings(KEY, frozenset(dots), **fields)


def run(reports, closing=()):
    """Every report in its order; after the reports numbered in `closing` the open case is resolved."""
    record, asked = NO_RECORD, []
    for number, dots in enumerate(reports):
        record, action = coalesce(record, siblings(*dots))
        asked += [action] if action else []
        if number in closing and record.case:
            record = close(record, record.case, record.dots)
    return record, asked


def test_the_first_siblings_start_a_case_and_later_ones_grow_it():
    record, start = coalesce(NO_RECORD, siblings(B, A, severity=0.7, critical=True, priority=90))
    assert start == StartCase(case_id(KEY, 1), KEY, (A, B), 0.7, True, 90)  # as stored
    record, grow = coalesce(record, siblings(A, B, C))
    assert grow == GrowOpenCase(start.case, KEY, (C,))
    assert record.dots == {A, B, C}
    assert coalesce(record, siblings(B, C)) == (record, None)


def test_one_write_alone_is_no_conflict():
    assert coalesce(NO_RECORD, siblings(A)) == (NO_RECORD, None)


def test_ids_differ_by_every_part_fit_a_stream_and_one_is_pinned():
    found = [
        case_id(KEY, 1),
        case_id(KEY, 2),
        case_id(replace(KEY, layer="cultural"), 1),
        case_id(replace(KEY, key="ward-3/bed"), 1),
        case_id(replace(KEY, region="eu"), 1),
        case_id(replace(KEY, region=""), 1),
    ]
    assert len(set(found)) == len(found)
    assert found[0] == "c-e3aa8fe7a9d8c34838d35706c6efe250"
    for one in found:
        check_id(one)


@given(CONFLICTS, CONFLICTS)
def test_who_sees_other_siblings_of_a_key_asks_for_the_same_case(some, others):
    (_, one), (_, other) = coalesce(NO_RECORD, siblings(*some)), coalesce(NO_RECORD, siblings(*others))
    assert one.case == other.case


@examples(200)
@given(st.lists(CONFLICTS, min_size=1, max_size=12), st.sets(st.integers(0, 11)), st.data())
def test_a_redelivery_asks_for_nothing(reports, closing, data):
    record, _ = run(reports, closing)
    for dots in data.draw(st.lists(st.sampled_from(reports), max_size=5)):
        assert coalesce(record, siblings(*dots)) == (record, None)


@examples(200)
@given(st.lists(REPORTS, max_size=12), st.sets(st.integers(0, 11)))
def test_no_case_is_started_twice_and_one_is_open_at_a_time(reports, closing):
    record, asked = run(reports, closing)
    started = [one.case for one in asked if isinstance(one, StartCase)]
    assert len(started) == len(set(started))
    opened = None
    for one in asked:
        if isinstance(one, StartCase):
            opened = one.case
        else:
            assert one.case == opened
    assert record.case in (None, opened)


@examples(200)
@given(st.lists(REPORTS, max_size=12))
def test_every_write_of_a_conflict_is_in_its_case(reports):
    record, asked = run(reports)
    handed = [dot for one in asked for dot in one.dots]
    assert len(handed) == len(set(handed))
    assert record.dots == set(handed)
    first = next((number for number, dots in enumerate(reports) if len(dots) > 1), len(reports))
    assert set(handed) == {dot for dots in reports[first:] for dot in dots}


def test_what_a_closed_case_dealt_with_opens_nothing_and_what_it_did_not_does():
    record, start = coalesce(NO_RECORD, siblings(A, B))
    record, _ = coalesce(record, siblings(A, B, C))
    assert close(record, "another", [A, B]) == record
    record = close(record, start.case, [A, B])
    assert (record.case, record.dots, record.settled) == (None, frozenset(), {"a": 1, "b": 1})
    assert coalesce(record, siblings(A, B)) == (record, None)
    ruling = Dot("moot", 1)
    record, second = coalesce(record, siblings(ruling, C))
    assert second.dots == (C, ruling)
    assert second.case != start.case
    record = close(record, second.case, [C, ruling, Dot("a", 1)])
    assert record.settled == {"a": 1, "b": 1, "c": 1, "moot": 1}


def test_a_full_case_takes_no_more_and_a_later_one_is_another_case():
    many = [Dot("w", number) for number in range(1, MAX_POSITIONS + 3)]
    record, start = coalesce(NO_RECORD, siblings(*many[:-3]))
    record, grow = coalesce(record, siblings(*many))
    assert grow.dots == (many[-3],)
    assert coalesce(record, siblings(*many)) == (record, None)
    record = close(record, start.case, record.dots)
    record, second = coalesce(record, siblings(*many))
    assert second.dots[:2] == tuple(many[-2:])
    assert len(second.dots) == MAX_POSITIONS
    assert second.case != start.case


def waiting(number, severity=0.5, priority=50, *, critical=False):
    return Waiting(StartCase(f"c{number}", KEY, (A, B), severity, critical, priority), number)


def test_critical_cases_go_first_then_severe_ones_then_by_priority_then_in_order():
    queue = [
        waiting(1),
        waiting(2, priority=90),
        waiting(3, severity=0.9),
        waiting(4, critical=True, severity=0.0),
        waiting(5),
    ]
    starting, rest = admit(queue, running=0, most=10)
    assert [one.arrived for one in starting] == [4, 3, 2, 1, 5]
    assert rest == []


@given(
    st.lists(st.builds(waiting, st.just(0), st.sampled_from([0.1, 0.9]), st.integers(0, 100)), max_size=30),
    st.integers(0, 12),
    st.integers(1, 10),
)
def test_no_more_run_than_the_bound_and_none_is_dropped(drawn, running, most):
    queue = [replace(one, arrived=number) for number, one in enumerate(drawn)]
    starting, rest = admit(queue, running, most)
    assert len(starting) == min(len(queue), max(0, most - running))
    assert sorted((*starting, *rest), key=lambda one: one.arrived) == queue
    assert rest == sorted(rest, key=lambda one: one.arrived)


@pytest.mark.parametrize("most", [1, 7])
def test_a_storm_is_absorbed_wave_by_wave(most):
    queue, waves = [waiting(number) for number in range(20)], []
    while queue:
        starting, queue = admit(queue, 0, most)
        waves += [one.arrived for one in starting]
    assert waves == list(range(20))
