"""Hybrid logical clocks: cause before effect, close to the wall clock, never followed beyond their bound."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.causality.hybrid_clock import (
    MAX_DRIFT_MS,
    MAX_LOGICAL,
    ZERO,
    ClockAhead,
    Timestamp,
    receive,
    send,
)

times = st.integers(0, 1000)
stamps = st.builds(Timestamp, times, st.integers(0, 3))


@given(stamps, times)
def test_what_is_sent_is_later_than_all_before_and_not_before_the_wall_clock(last, now):
    sent = send(last, now)
    assert sent > last
    assert sent.wall >= now


@given(stamps, stamps, times)
def test_what_is_received_is_later_than_the_message_and_than_all_before(last, heard, now):
    got = receive(last, heard, now)
    assert got > last
    assert got > heard
    assert got.wall == max(last.wall, heard.wall, now)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 50)), max_size=40))
def test_the_wall_part_is_a_wall_time_that_some_node_has_read(steps):
    """The paper's theorem 2: no clock runs ahead of the fastest wall clock it could have heard of."""
    clocks, fastest = [ZERO] * 3, 0
    for sender, receiver, now in steps:
        fastest = max(fastest, now)
        clocks[sender] = send(clocks[sender], now)
        clocks[receiver] = receive(clocks[receiver], clocks[sender], now)
        assert max(clocks).wall <= fastest


def test_the_logical_part_starts_again_with_each_new_millisecond():
    assert send(Timestamp(5, 3), 5) == Timestamp(5, 4)
    assert send(Timestamp(5, 3), 6) == Timestamp(6, 0)
    assert receive(Timestamp(5, 3), Timestamp(5, 7), 2) == Timestamp(5, 8)
    assert receive(Timestamp(5, 3), Timestamp(4, 7), 2) == Timestamp(5, 4)


def test_a_full_logical_part_borrows_the_next_millisecond():
    assert send(Timestamp(5, MAX_LOGICAL - 1), 0) == Timestamp(5, MAX_LOGICAL)
    assert send(Timestamp(5, MAX_LOGICAL), 0) == Timestamp(6, 0)


def test_a_clock_that_runs_wild_is_not_followed():
    limit = Timestamp(1000 + MAX_DRIFT_MS)
    assert receive(ZERO, limit, 1000) > limit
    with pytest.raises(ClockAhead, match="60001 ms ahead of this node's, at most 60000"):
        receive(ZERO, Timestamp(limit.wall + 1), 1000)
    assert receive(ZERO, Timestamp(20), 10, max_drift_ms=10) == Timestamp(20, 1)
    with pytest.raises(ClockAhead):
        receive(ZERO, Timestamp(21), 10, max_drift_ms=10)
