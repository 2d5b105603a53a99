"""What no node that works could have written; readers park it instead of folding it."""

from collections.abc import Collection

from domain.context.events import Written
from domain.refusal import ImpossibleEvent
from domain.stream import ITEM_ID

LATEST = 253_402_300_799_999
"""Unix milliseconds: the last of the year 9999, as events can say it."""
LAST_COUNTER = 2**31 - 1
"""The last number that an event can have in its stream, and so a write among its node's."""


def check_write(write: Written) -> None:
    """Refuse a write whose numbers contradict themselves, without a look at any state.

    Raises:
        ImpossibleEvent: a node that no version could name, a counter below 1 or past the last, a clock or a
            time to live below what they count from, or a write that had seen itself.
    """
    counter = write.counter
    if not ITEM_ID.fullmatch(write.node):
        raise ImpossibleEvent("node", "is no id of a node, a case or a merge")
    if not 1 <= counter <= LAST_COUNTER:
        raise ImpossibleEvent("counter", f"is {counter}, and writes count from 1 to {LAST_COUNTER}")
    if not 0 <= write.wall <= LATEST or write.logical < 0:
        raise ImpossibleEvent("clock", f"is {write.wall}, {write.logical}, before 1970 or after 9999")
    if write.ttl_ms is not None and write.ttl_ms < 1:
        raise ImpossibleEvent("ttl_ms", f"is {write.ttl_ms}, and nothing lives that short")
    if write.seen:
        _check_counts("seen", write.seen.values())
        if write.seen.get(write.node, 0) >= counter:
            raise ImpossibleEvent("seen", "holds the write itself")
    if write.beyond:
        _check_counts("beyond", [count for counters in write.beyond.values() for count in counters])
        if counter in write.beyond.get(write.node, ()):
            raise ImpossibleEvent("beyond", "holds the write itself")


def _check_counts(field: str, counts: Collection[int]) -> None:
    if counts and (min(counts) < 1 or max(counts) > LAST_COUNTER):
        raise ImpossibleEvent(field, f"counts writes of a node that are not among 1 to {LAST_COUNTER}")
