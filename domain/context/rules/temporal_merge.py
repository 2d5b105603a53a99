"""The union of the siblings' events, in the order in which they happened."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from domain.context.canonical import canonical, same
from domain.context.events import Written
from domain.context.rules.conflict import WHOLE, Conflict, Resolution, agreeing, undecided
from domain.context.rules.moment import instant, stated

TIMES = ("at", "event_time", "occurred_at", "timestamp", "time")
"""Where an event says when it happened; the first that it has counts."""

_LAST = 253_402_300_799_999_999
_new = tuple.__new__  # a named tuple by its name takes three times as long, for every event
_moment = itemgetter(0)


class Happening(NamedTuple):
    """An event and its time in Unix microseconds; `stated`: the event says so itself."""

    at: int
    event: dict[str, Any]
    stated: bool


class NoEvent(ValueError):
    """A sibling holds what is no event; the message says what."""


def temporal_merge(conflict: Conflict) -> Resolution:
    """Nothing is lost: a set union, so commutative, associative and idempotent.

    A value is one event, an object, or a list of them. An object that stands alone and states no time
    happened when it was written, and the result says so in its field `at`; within a list each must state
    its own. Needs a decision where a value is no event, and where two events have one `id`.
    """
    siblings = conflict.siblings
    if agreeing(siblings):
        return Resolution("temporal_merge", siblings[0].value, 1.0, WHOLE, "all wrote the same")
    try:
        happened = union(siblings)
    except NoEvent as problem:
        return undecided(str(problem))
    twice = _told_apart(happened)
    if twice is not None:
        return undecided(f"there are different events with the id {twice[:80]}")
    events = [event if has_time else {"at": stated(at), **event} for at, event, has_time in happened]
    reason = f"{len(events)} events of {len(siblings)} siblings, in event time"
    return Resolution("temporal_merge", events, 1.0, tuple([f"/{n}" for n in range(len(events))]), reason)


def union(siblings: Sequence[Written]) -> list[Happening]:
    """Every event once, in event time, then by its text; of one that was recorded twice the earlier time.

    Raises:
        NoEvent: a value is neither an event nor a list of events.
    """
    every: list[Happening] = []
    for write in siblings:
        value = write.value
        if isinstance(value, dict):
            every.append(_happening(value, write.wall * 1000))
        elif isinstance(value, list):
            every += [_happening(event, None) for event in value]
        else:
            raise NoEvent("a value is no event: an object, or a list of objects that state their time")
    if _plainly_different(every):
        return sorted(every, key=_moment)
    found: dict[str, Happening] = {}
    for happening in every:
        text = canonical(happening.event)
        if text not in found or happening.at < found[text].at:
            found[text] = happening
    return sorted([found[text] for text in sorted(found)], key=_moment)


def _plainly_different(every: Sequence[Happening]) -> bool:
    """Whether surely no two are one, nor of one time."""
    if len({at for at, _, _ in every}) < len(every):
        return False
    unstated = [event for _, event, has_time in every if not has_time]
    return len(unstated) < 2 or (len(unstated) == 2 and not same(*unstated))  # noqa: PLR2004 # of two siblings


def _happening(event: Any, recorded: int | None) -> Happening:
    if not isinstance(event, dict):
        raise NoEvent("a list holds what is no event: an object that states its time")
    for name in TIMES:
        if name in event:
            at = instant(event[name])
            if at is None:
                raise NoEvent(
                    f"an event's {name} is no instant: RFC 3339 with an offset, or Unix milliseconds"
                )
            return _new(Happening, (at, event, True))
    if recorded is None:
        raise NoEvent("an event in a list does not state its time")
    return _new(Happening, (min(recorded, _LAST), event, False))


def _told_apart(happened: Sequence[Happening]) -> str | None:
    """The first id that more than one event has, as JSON."""
    ids: set[str] = set()
    for _, event, _ in happened:
        if "id" in event:
            name = canonical(event["id"])
            if name in ids:
                return name
            ids.add(name)
    return None
