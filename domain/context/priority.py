"""How urgently a write is passed on to other regions."""

from collections.abc import Iterable

from domain.context.events import Flag

START = 50
LOWEST, HIGHEST = 0, 100
_WEIGHTS: dict[Flag, int] = {
    "user_facing": 50,
    "personality_critical": 30,
    "conflict_resolution": 40,
    "historical": -20,
}


def sync_priority(flags: Iterable[Flag]) -> int:
    """0 to 100, the higher the sooner; first in, first out within one. A repeated flag counts once."""
    distinct = set(flags)
    if not distinct:  # nearly always
        return START
    return max(LOWEST, min(HIGHEST, START + sum(_WEIGHTS[flag] for flag in distinct)))
