"""When a write's time is over, told by times on the log and never by when someone looks."""

from collections.abc import Iterable

from domain.causality.hybrid_clock import Timestamp
from domain.context.events import Written

NEVER = 2**63 - 1


def expires_at(write: Written) -> int:
    """Unix milliseconds from which on the write no longer stands; `NEVER` without a time to live."""
    return NEVER if write.ttl_ms is None else write.wall + write.ttl_ms


def expired(write: Written, newest: Timestamp) -> bool:
    """Whether the newest clock known to the key is past the write's time: no write, no expiry."""
    return write.ttl_ms is not None and write.wall + write.ttl_ms <= newest.wall


def shown(writes: Iterable[Written], now_ms: int) -> tuple[Written, ...]:
    """What a reader whose own clock says `now_ms` is shown. It hides; no state ever follows from it."""
    return tuple(write for write in writes if expires_at(write) > now_ms)
