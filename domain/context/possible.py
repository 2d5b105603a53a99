"""What no node that works could have written; readers park it instead of folding it."""

from domain.context.events import Written
from domain.refusal import ImpossibleEvent

LATEST = 253_402_300_799_999
"""Unix milliseconds: the last of the year 9999, as events can say it."""


def check_write(write: Written) -> None:
    """Refuse a write whose numbers contradict themselves, without a look at any state.

    Raises:
        ImpossibleEvent: a counter below 1, a clock or a time to live below what they count from, or a write
            that had seen itself.
    """
    counter = write.counter
    if counter < 1:
        raise ImpossibleEvent("counter", f"is {counter}, and the first write is 1")
    if not 0 <= write.wall <= LATEST or write.logical < 0:
        raise ImpossibleEvent("clock", f"is {write.wall}, {write.logical}, before 1970 or after 9999")
    if write.ttl_ms is not None and write.ttl_ms < 1:
        raise ImpossibleEvent("ttl_ms", f"is {write.ttl_ms}, and nothing lives that short")
    seen = write.seen
    if seen:
        if min(seen.values()) < 1:
            raise ImpossibleEvent("seen", "counts less than one write")
        if seen.get(write.node, 0) >= counter:
            raise ImpossibleEvent("seen", "holds the write itself")
    if write.beyond:
        if min(min(counters, default=1) for counters in write.beyond.values()) < 1:
            raise ImpossibleEvent("beyond", "counts less than one write")
        if counter in write.beyond.get(write.node, ()):
            raise ImpossibleEvent("beyond", "holds the write itself")
