"""Hosts and clients as the tests of this folder need them."""

from datetime import UTC, datetime, timedelta

from domain.event import Event, event_id
from domain.learning.fleet import Announced, Client, DataOffer, Left
from domain.stream import fleet_stream

START = datetime(2026, 11, 21, 12, tzinfo=UTC)


def client(name="c1", rows=100, **more):
    offered = {key: more.pop(key) for key in ("quality", "since", "until") if key in more}
    return Client(name, (DataOffer("default", rows, **offered),), ("logistic",), **more)


def announced(host="edge-1", clients=(), region="eu", part=1, parts=1):
    return Announced(host, region, tuple(clients), part, parts)


def events(*said, host=None, start=START):
    """A host's stream: a second between two events."""
    stream = fleet_stream(host or said[0].host)
    return [
        Event(event_id(at, stream, version), stream, version, at, data, "test")
        for version, data in enumerate(said, start=1)
        for at in [start + timedelta(seconds=version)]
    ]


__all__ = ["START", "Left", "announced", "client", "events"]
