"""What a host says of itself: whether it is worth an event, and in which parts it is said."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from domain.learning.fleet import MAX_CLIENTS, MAX_PARTS, Announced, Client, DataOffer
from domain.refusal import Refusal

GROWN = 0.1
"""The share by which rows must have changed in number to be announced again for that alone."""
MOVED = timedelta(hours=1)
"""The time by which its first or last moment must have moved, likewise."""


def worth_saying(before: Sequence[Client], now: Sequence[Client]) -> bool:
    """Whether what a host would announce differs so much from what it announced that it must be said.

    Data that merely grows is said again when its rows changed by a tenth, or its time by an hour: a host
    whose data grows every second would otherwise fill the log.
    """
    if len(before) != len(now):
        return True
    return any(_differs(old, new) for old, new in zip(before, now, strict=True))


def _differs(old: Client, new: Client) -> bool:
    if replace(old, data=()) != replace(new, data=()) or len(old.data) != len(new.data):
        return True
    return any(_offers_more(was, now) for was, now in zip(old.data, new.data, strict=True))


def _offers_more(was: DataOffer, now: DataOffer) -> bool:
    if (was.name, was.quality) != (now.name, now.quality):
        return True
    if abs(now.rows - was.rows) > GROWN * was.rows or (was.rows == 0) is not (now.rows == 0):
        return True
    return _moved(was.since, now.since) or _moved(was.until, now.until)


def _moved(was: datetime | None, now: datetime | None) -> bool:
    if was is None or now is None:
        return was is not now
    return abs(now - was) > MOVED


def parts_of(
    host: str, region: str, clients: Sequence[Client], weigh: Callable[[Client], int], most: int
) -> tuple[Announced, ...]:
    """An announcement of `clients`, in parts of at most `most` bytes and `MAX_CLIENTS` clients each.

    Args:
        host: its node process.
        region: where that is.
        clients: all of them, in the order in which they are announced.
        weigh: how many bytes a client takes.
        most: bytes of one part.

    Raises:
        Refusal: a client is larger than a part, or there are more parts than can be.
    """
    cut: list[list[Client]] = [[]]
    size = 0
    for client in clients:
        weight = weigh(client)
        if weight > most:
            raise Refusal("--data", f"what {client.id} announces has {weight} bytes, at most {most}")
        if cut[-1] and (size + weight > most or len(cut[-1]) == MAX_CLIENTS):
            cut.append([])
            size = 0
        cut[-1].append(client)
        size += weight
    if len(cut) > MAX_PARTS:
        raise Refusal(
            "--clients", f"{len(clients)} make {len(cut)} parts, at most {MAX_PARTS}; use two hosts"
        )
    return tuple(Announced(host, region, tuple(part), n, len(cut)) for n, part in enumerate(cut, start=1))
