"""The read model of the fleet: one row for each node process, with the clients that it trains for."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import JSON, Column, Index, PrimaryKeyConstraint, Table

from domain.event import Event
from domain.learning.fleet import Announced, Left
from domain.learning.roster import Host, fold_host
from projections.projection import Addition
from projections.tables import METADATA, count, moment, stamps, text

FLEET_HOST = Table(
    "fleet_host",
    METADATA,
    *stamps(),
    text("host"),
    text("region"),
    count("clients"),
    moment("announced_at", required=False),
    moment("left_at", required=False),
    Column("state", JSON, nullable=False),
    PrimaryKeyConstraint("stream"),
    postgresql_with={"fillfactor": 50},  # a host's row changes as often as its conditions do
)
Index("fleet_host_region", FLEET_HOST.c.region)


class Detail(msgspec.Struct, frozen=True, omit_defaults=True):
    """The nested part of a row: the host's own events that count, as they were written, and since when."""

    parts: tuple[Announced, ...] = ()
    begun: tuple[Announced, ...] = ()
    left: Left | None = None
    since: datetime | None = None
    joined: Mapping[str, datetime] = {}


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Detail)


class FleetProjection:
    """Node processes by stream."""

    name = "fleet"
    topic = "fleet"
    category = "fleet"
    home = FLEET_HOST
    totals = None
    adding = frozenset[type]()
    numbered = True
    rules = ""

    def fold(self, state: Host | None, event: Event) -> Host:
        return fold_host(state, event)

    def adds(self, state: Host, event: Event) -> Iterable[Addition]:  # noqa: ARG002 # a host adds to nothing
        return ()

    def settled(self, state: Host) -> bool:  # noqa: ARG002 # whoever left may come again
        return False

    def row(self, state: Host) -> tuple[Any, ...]:
        detail = Detail(state.parts, state.begun, state.left, state.since, state.joined)
        return (
            state.host,
            state.region,
            len(state.clients),
            state.announced_at,
            state.left_at,
            _encoder.encode(detail).decode(),
        )

    def state(self, values: Sequence[Any]) -> Host:
        host, *_, announced_at, left_at, text_ = values
        return host_of(host, announced_at, left_at, text_)


def host_of(host: str, announced_at: datetime | None, left_at: datetime | None, state: str) -> Host:
    """A host from its row."""
    detail = _decoder.decode(state)
    return Host(
        host,
        detail.parts,
        detail.begun,
        announced_at,
        detail.left,
        left_at,
        detail.since,
        detail.joined,
    )
