"""Who could train: a host's stream folded, and all hosts together as one roster."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never

from domain.counting import agreeing
from domain.event import Event
from domain.learning.fleet import Announced, Announcement, Candidate, Client, FleetEvent, Left
from domain.refusal import ImpossibleEvent, Refusal
from domain.stream import fleet_stream


@dataclass(frozen=True, slots=True)
class Host:
    """A node process, as its stream has it.

    `parts` are its last whole announcement, `begun` the parts of one that is not whole yet. `left`: how it
    ended, while it has announced nothing whole since. `since`: from when on it has been there without an end,
    null where that is its last announcement; `joined`: when those of its clients came that came later.
    """

    host: str
    parts: tuple[Announced, ...] = ()
    begun: tuple[Announced, ...] = ()
    announced_at: datetime | None = None
    left: Left | None = None
    left_at: datetime | None = None
    since: datetime | None = None
    joined: Mapping[str, datetime] = field(default_factory=dict)

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
    now = Host(state.host, parts=begun, announced_at=at)
    if state.announced_at is None or state.left is not None:
        return now
    since, before = state.since or state.announced_at, {client.id for client in state.clients}
    came = {
        client.id: state.joined.get(client.id, since) if client.id in before else at for client in now.clients
    }
    return replace(now, since=since, joined={name: then for name, then in came.items() if then != since})


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

    A client that two hosts announce stays with the one that did so first, until that one leaves or announces
    itself without it; of the same moment, with the first name. So announcing one takes it from none.
    """
    found: dict[str, Candidate] = {}
    for client, host in _claims(hosts):
        found.setdefault(client.id, Candidate(client, host.host, host.region))
    return tuple(found[name] for name in sorted(found))


def contested(hosts: Iterable[Host]) -> dict[str, dict[str, str]]:
    """By host, which of its clients stay with another one that announced them first, and with which."""
    first: dict[str, str] = {}
    found: dict[str, dict[str, str]] = {}
    for client, host in _claims(hosts):
        holder = first.setdefault(client.id, host.host)
        if holder != host.host:
            found.setdefault(host.host, {})[client.id] = holder
    return found


def _claims(hosts: Iterable[Host]) -> Iterator[tuple[Client, Host]]:
    """What the hosts that are there say of their clients, whoever said it first before the others."""
    said = [
        (host.joined.get(client.id, host.since or host.announced_at), host.host, client, host)
        for host in hosts
        if host.announced_at and not host.left
        for client in host.clients
    ]
    for *_, client, host in sorted(said, key=lambda one: one[:2]):
        yield client, host
