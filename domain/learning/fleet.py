"""Who could train: what node processes say of the clients they train for, on their own stream."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from domain.learning.policy import within
from domain.refusal import Refusal
from domain.stream import check_id
from domain.strict_json import printable

MAX_CLIENTS = 500
"""In one announcement, so that it stays one event; a host of more announces in parts."""
MAX_PARTS = 1_000
MAX_NAME = 128
_IDENTITY = re.compile(r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=")


@dataclass(frozen=True, slots=True)
class DataOffer:
    """A client's data set: how many rows, of which quality (0 to 1, by the client's own measure), of when."""

    name: str
    rows: int
    quality: float = 1.0
    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        check_id(self.name, "data.name")
        within("data.rows", self.rows, 0, 1e12)
        within("data.quality", self.quality, 0, 1)
        for name, moment in (("since", self.since), ("until", self.until)):
            if moment is not None and moment.tzinfo is None:
                raise Refusal(f"data.{name}", f"{moment.isoformat()} has no time zone; write it in UTC")


@dataclass(frozen=True, slots=True)
class Client:
    """Somebody who could train.

    `subject`: whose data it is, and so whose privacy budget; the client's own id by default. `identity`: its
    Ed25519 public key, base64. `charging`, `unmetered`, `encrypts` (whether homomorphic
    encryption is installed where it trains): null where it does not say.
    """

    id: str
    data: tuple[DataOffer, ...]
    trainers: tuple[str, ...]
    subject: str | None = None
    identity: str | None = None
    network_mbps: float = 100.0
    charging: bool | None = None
    unmetered: bool | None = None
    encrypts: bool | None = None

    def __post_init__(self) -> None:
        check_id(self.id)
        within("network_mbps", self.network_mbps, 0, 1e9)
        if self.subject is not None:
            check_id(self.subject, "subject")
        if self.identity is not None and not _IDENTITY.fullmatch(self.identity):
            raise Refusal("identity", "is not the base64 of a public key of 32 bytes")
        for name in self.trainers:
            if not name.isprintable() or len(name) > MAX_NAME:
                raise Refusal("trainers", f"'{printable(name, 40)}' is no name of at most {MAX_NAME} letters")


@dataclass(frozen=True, slots=True)
class Announced:
    """A node process said what it is and for whom it trains, in one part or several, which follow each other.

    An announcement counts when its last part is there, in the place of the one before it.
    """

    TYPE: ClassVar[str] = "fleet.announced.v1"
    host: str
    region: str
    clients: tuple[Client, ...]
    part: int = 1
    parts: int = 1

    def __post_init__(self) -> None:
        if len(self.clients) > MAX_CLIENTS:
            raise Refusal("clients", f"{len(self.clients)} given, at most {MAX_CLIENTS} in one announcement")
        check_id(self.host, "host")
        check_id(self.region, "region")
        within("parts", self.parts, 1, MAX_PARTS)
        within("part", self.part, 1, self.parts)
        ids = [client.id for client in self.clients]
        if len(set(ids)) < len(ids):
            raise Refusal("clients", "a client is named twice; each of them has one id")


@dataclass(frozen=True, slots=True)
class Left:
    """A node process ended in order; its clients are asked no more until it announces itself again."""

    TYPE: ClassVar[str] = "fleet.left.v1"
    host: str
    reason: str = ""

    def __post_init__(self) -> None:
        check_id(self.host, "host")


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a node process asks to be written to its stream: `announced` or `left`, one of them.

    `counted`: how many events the stream has, as the host has counted them. `digest`: the host's own mark of
    what it says, by which it knows the workflow that wrote it again.
    """

    counted: int
    digest: str
    announced: Announced | None = None
    left: Left | None = None

    def __post_init__(self) -> None:
        within("counted", self.counted, 0, 2**31 - 2)
        if (self.announced is None) is (self.left is None):
            raise Refusal("announced", "give this or left, one of them")

    @property
    def event(self) -> "FleetEvent":
        event = self.announced or self.left
        assert event is not None  # noqa: S101 # the constructor took care
        return event


@dataclass(frozen=True, slots=True)
class Written:
    """What an announcement became: the event `version` of the host's stream says what `digest` marks."""

    version: int
    digest: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A client as the roster has it: where it is and who trains for it."""

    client: Client
    host: str
    region: str


FleetEvent = Announced | Left
EVENTS: tuple[type[FleetEvent], ...] = (Announced, Left)
