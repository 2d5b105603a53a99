"""The newest value that is still valid stands."""

from typing import Any

from domain.context.events import Written
from domain.context.expiry import expired
from domain.context.rules.conflict import WHOLE, Conflict, Resolution, agreeing, share_of_one, undecided
from domain.context.rules.moment import instant


def temporal_priority(conflict: Conflict) -> Resolution:
    """Needs a decision where none is valid, or where a stated validity is no instant.

    Valid is what has not expired, and whose fields `valid_from` and `valid_until` (the latter excluded), if
    it has any, enclose the newest clock known to the key; so every replica finds the same.
    """
    if agreeing(conflict.siblings):
        return _chosen(conflict.siblings, "all wrote the same")
    standing = []
    for write in conflict.siblings:
        valid = _valid(write.value, conflict.newest.wall * 1000)
        if valid is None:
            return undecided("a stated validity is no instant: RFC 3339 with an offset, or Unix milliseconds")
        if valid and not expired(write, conflict.newest):
            standing.append(write)
    if not standing:
        return undecided(f"none of {len(conflict.siblings)} is valid any more, or yet")
    reason = f"the newest of {len(standing)} valid among {len(conflict.siblings)}"
    return _chosen(tuple(standing), reason)


def _chosen(standing: tuple[Written, ...], reason: str) -> Resolution:
    return Resolution("temporal_priority", standing[0].value, share_of_one(standing), WHOLE, reason)


def _valid(value: Any, at: int) -> bool | None:
    """Whether the value says that it holds at `at` (Unix microseconds); None where that cannot be told."""
    if not isinstance(value, dict):
        return True
    start, end = value.get("valid_from"), value.get("valid_until")
    if start is None and end is None:
        return True
    first = instant(start) if start is not None else at
    last = instant(end) if end is not None else at + 1
    return None if first is None or last is None else first <= at < last
