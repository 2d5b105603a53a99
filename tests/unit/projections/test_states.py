"""Streams in memory, within a bound."""

from projections.registry import BY_NAME
from projections.states import States, Stream

CONSENSUS = BY_NAME["consensus"]


def test_what_is_used_stays_and_the_rest_is_forgotten():
    states = States(capacity=3)
    for name in "abcdefgh":
        states.put(Stream(name, CONSENSUS))
        assert states.get("a") is not None
        states.age()
    assert "a" in states
    assert "b" not in states
    assert states.get("b") is None


def test_no_more_than_twice_the_capacity_is_kept():
    states = States(capacity=10)
    for number in range(1000):
        states.put(Stream(str(number), CONSENSUS))
        states.age()
    assert sum(str(number) in states for number in range(1000)) <= 20
    assert "999" in states


def test_a_stream_with_a_version_has_a_row():
    assert not Stream("a", CONSENSUS).stored
    assert Stream("a", CONSENSUS, 1, "id", 0, 0, object()).stored
