"""How often a part died of late: one that is ready again between two deaths is not well for that."""

from collections.abc import Iterable

RECENT = 60.0  # seconds
TOO_OFTEN = 3  # deaths


def recent(deaths: Iterable[float], now: float) -> list[float]:
    """Those of the last minute; all are in seconds since 1970, as two processes of one machine know them."""
    return [at for at in deaths if 0 <= now - at <= RECENT]


def problem(deaths: Iterable[float], now: float, log: str) -> str:
    """What is wrong with a part that died at those times; nothing if they are few, or long ago."""
    count = len(recent(deaths, now))
    return f"died {count} times in the last {RECENT:.0f} s; see {log}" if count >= TOO_OFTEN else ""
