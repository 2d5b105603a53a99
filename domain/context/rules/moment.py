"""Times that people write into values: an instant, or nothing that could be compared."""

from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_OF_UTC = _EPOCH.replace(tzinfo=None)  # writes itself in half the time
_MICROSECOND = timedelta(microseconds=1)
_LEAST_MS, _MOST_MS = 10**11, 253_402_300_799_999
"""Whole numbers below are as likely seconds as milliseconds; above, no calendar has them (year 9999)."""


def instant(stated: Any) -> int | None:
    """Unix microseconds of an RFC 3339 text with its offset, or of whole Unix milliseconds from 1973 on.

    None for anything else: a time without a zone is no instant, and guessing one would reorder events.
    """
    if isinstance(stated, str):
        try:
            moment = datetime.fromisoformat(stated)
        except ValueError:
            return None
        return None if moment.tzinfo is None else (moment - _EPOCH) // _MICROSECOND
    if isinstance(stated, int) and _LEAST_MS <= stated <= _MOST_MS:
        return stated * 1000
    return None


def stated(microseconds: int) -> str:
    """RFC 3339 in UTC, to the microsecond."""
    moment = _EPOCH_OF_UTC + microseconds * _MICROSECOND
    return moment.isoformat("T", "microseconds") + "Z"
