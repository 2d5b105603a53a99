"""Who could train: what node processes say of the clients they train for, on their own stream."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from domain.learning.policy import within
from domain.refusal import Refusal
from domain.stream import check_id

MAX_CLIENTS = 500
"""In one announcement, so that it stays one event; a host of more announces in parts."""


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


@dataclass(frozen=True, slots=True)
class Client:
    """Somebody who could train.

    `subject`: whose data it is, and so whose privacy budget; the client's own id by default. `identity`: its
    Ed25519 public key, base64. `charging`, `unmetered`: null where it does not say.
    """

    id: str
    data: tuple[DataOffer, ...]
    trainers: tuple[str, ...]
    subject: str | None = None
    identity: str | None = None
    network_mbps: float = 100.0
    charging: bool | None = None
    unmetered: bool | None = None

    def __post_init__(self) -> None:
        check_id(self.id)
        within("network_mbps", self.network_mbps, 0, 1e9)


@dataclass(frozen=True, slots=True)
class Announced:
    """A node process said what it is and for whom it trains; the newest part of each number counts."""

    TYPE: ClassVar[str] = "fleet.announced.v1"
    host: str
    region: str
    clients: tuple[Client, ...]
    part: int = 1
    parts: int = 1

    def __post_init__(self) -> None:
        if len(self.clients) > MAX_CLIENTS:
            raise Refusal("clients", f"{len(self.clients)} given, at most {MAX_CLIENTS} in one announcement")


@dataclass(frozen=True, slots=True)
class Left:
    """A node process ended in order; its clients are asked no more until it announces itself again."""

    TYPE: ClassVar[str] = "fleet.left.v1"
    host: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A client as the roster has it: where it is and who trains for it."""

    client: Client
    host: str
    region: str


FleetEvent = Announced | Left
EVENTS: tuple[type[FleetEvent], ...] = (Announced, Left)
