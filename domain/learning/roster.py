"""Who could train: a host's stream folded, all hosts together as one roster, and what is worth announcing."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from domain.counting import agreeing
from domain.event import Event
from domain.learning.fleet import (
    MAX_CLIENTS,
    MAX_PARTS,
    Announced,
    Announcement,
    Candidate,
    Client,
    DataOffer,
    FleetEvent,
    Left,
)
from domain.refusal import ImpossibleEvent, Refusal
from domain.stream import fleet_stream

GROWN = 0.1
"""The share by which rows must have changed in number to be announced again for that alone."""
MOVED = timedelta(hours=1)
"""The time by which its first or last moment must have moved, likewise."""


@dataclass(frozen=True, slots=True)
class Host:
    """A node process, as its stream has it.

    `parts` are its last whole announcement, `begun` the parts of one that is not whole yet. `left`: how it
    ended, while it has announced nothing whole since.
    """

    host: str
    parts: tuple[Announced, ...] = ()
    begun: tuple[Announced, ...] = ()
    announced_at: datetime | None = None
    left: Left | None = None
    left_at: datetime | None = None

    @property
    def clients(self) -> tuple[Client, ...]:
        """Those of the last whole announcement; of a client that is in two parts, the later one."""
        return tuple({client.id: client for part in self.parts for client in part.clients}.values())

    @property
    def region(self) -> str:
        return (self.parts or self.begun)[0].region

    @property
    def last(self) -> FleetEvent:
        """What its newest event says."""
        return self.begun[-1] if self.begun else self.left or self.parts[-1]


def fold_host(state: Host | None, event: Event) -> Host:
    """The host after `event`.

    Raises:
        ImpossibleEvent: it is not of this host, or a part that follows no other.
    """
    data = event.data
    if not isinstance(data, FleetEvent):
        raise ImpossibleEvent("type", f"{event.type} in the stream of a host")
    if event.stream != fleet_stream(data.host):
        raise ImpossibleEvent("host", f"{data.host} speaks in the stream {event.stream}")
    match data:
        case Announced():
            return _announced(state or Host(data.host), data, event.time)
        case Left():
            if state is None:
                raise ImpossibleEvent("type", "it left before it was announced")
            return replace(state, begun=(), left=data, left_at=event.time)
        case _:
            assert_never(data)


def _announced(state: Host, data: Announced, at: datetime) -> Host:
    begun = state.begun if data.part > 1 else ()
    if len(begun) != data.part - 1 or any((p.parts, p.region) != (data.parts, data.region) for p in begun):
        raise ImpossibleEvent("part", f"part {data.part} of {data.parts} follows none before it")
    begun = (*begun, data)
    if data.part < data.parts:
        return replace(state, begun=begun)
    return Host(state.host, parts=begun, announced_at=at)


def announce(asked: Announcement, seen: tuple[int, FleetEvent] | None) -> list[FleetEvent]:
    """What is to be written.

    Args:
        asked: what the host wants said.
        seen: the version and the newest event of its stream, as far as the log was read; it may be behind.

    Raises:
        Refusal: the stream has events that the host knows nothing of.
    """
    version, last = seen or (0, None)
    if version <= asked.counted:
        return [asked.event]
    if version == asked.counted + 1 and last == asked.event:
        return []
    raise elsewhere(asked.event.host, version, asked.counted)


def elsewhere(host: str, version: int, counted: int) -> Refusal:
    """Why a host whose journal knows less than its stream has may not go on."""
    return Refusal(
        "--id",
        f"the stream of {host} has {agreeing(version, 'event', 'events')}, and this folder's journal knows of"
        f" {counted}: they were announced from another folder, or its journal is lost; give that folder with"
        " --folder, or take another --id",
    )


def candidates(hosts: Iterable[Host]) -> tuple[Candidate, ...]:
    """Every client whose host is there, in the order of their ids.

    A client that two hosts announce is the newer announcement's; of the same moment, the later host's name.
    """
    found: dict[str, Candidate] = {}
    there = [(host.announced_at, host.host, host) for host in hosts if host.announced_at and not host.left]
    for _, name, host in sorted(there, key=lambda one: one[:2]):
        found |= {client.id: Candidate(client, name, host.region) for client in host.clients}
    return tuple(found[name] for name in sorted(found))


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
