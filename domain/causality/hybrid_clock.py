"""Hybrid logical clocks (Kulkarni, Demirbas et al. 2014): wall time that also respects cause and effect."""

from typing import NamedTuple

from domain.refusal import Refusal

MAX_DRIFT_MS = 60_000
MAX_LOGICAL = 0xFFFF
"""The paper's 16 bits; a node that sends more within one millisecond borrows the next."""


class Timestamp(NamedTuple):
    """`wall`: the greatest Unix milliseconds heard of. `logical`: the count of events within them.

    Timestamps compare as the pairs they are; two nodes may state equal ones, so a total order takes the node
    and a hash of what was written beside them.
    """

    wall: int
    logical: int = 0


ZERO = Timestamp(0)


class ClockAhead(Refusal):
    """A timestamp is further ahead of this node's wall clock than clocks may drift."""


def send(last: Timestamp, now_ms: int) -> Timestamp:
    """The time of a local event or of a message sent: later than `last`, and not before `now_ms`."""
    return Timestamp(now_ms) if now_ms > last.wall else _after(last)


def receive(last: Timestamp, heard: Timestamp, now_ms: int, max_drift_ms: int = MAX_DRIFT_MS) -> Timestamp:
    """The time of receiving a message stamped `heard`: later than `last` and `heard`, not before `now_ms`.

    Raises:
        ClockAhead: `heard` is more than `max_drift_ms` ahead of `now_ms`. The caller goes on with `last`:
            one clock that runs wild must not carry every other with it.
    """
    if heard.wall - now_ms > max_drift_ms:
        raise ClockAhead(
            "clock",
            f"is {heard.wall - now_ms} ms ahead of this node's, at most {max_drift_ms} ms are followed;"
            " set the writer's clock",
        )
    return send(max(last, heard), now_ms)


def _after(last: Timestamp) -> Timestamp:
    if last.logical < MAX_LOGICAL:
        return Timestamp(last.wall, last.logical + 1)
    return Timestamp(last.wall + 1)
