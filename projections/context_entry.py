"""The table of shared context, and what a region has of one key as a row of it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import JSON, BigInteger, Column, Index, PrimaryKeyConstraint, Table

from domain.causality.causal_context import CausalContext, Dot
from domain.causality.hybrid_clock import Timestamp
from domain.context.events import Written
from domain.context.expiry import NEVER, expires_at
from domain.context.state import Entry
from domain.context.versions import version_of
from projections.tables import METADATA, stamps, text

CONTEXT_ENTRY = Table(
    "context_entry",
    METADATA,
    *stamps(),
    text("region"),
    text("layer"),
    text("key"),
    text("standing"),
    text("dots"),
    Column("siblings", JSON, nullable=False),
    Column("resolution", JSON, nullable=True),
    Column("causality", JSON, nullable=False),
    Column("ancestors", JSON, nullable=False),
    Column("newest_wall", BigInteger, nullable=False),
    Column("newest_logical", BigInteger, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=True),
    PrimaryKeyConstraint("stream"),
    postgresql_with={"fillfactor": 80},  # a key is written again, and its row stays on its page
)

# What needs a decision is few of many, and is asked for all the time.
Index(
    "context_entry_undecided",
    CONTEXT_ENTRY.c.key,
    CONTEXT_ENTRY.c.layer,
    postgresql_where=CONTEXT_ENTRY.c.standing == "undecided",
)

# single: one write stands. settled: a rule settled the siblings. undecided: they need a decision.
# expired: the time of every write is over.
SINGLE, SETTLED, UNDECIDED, EXPIRED = "single", "settled", "undecided", "expired"

_encode = msgspec.json.Encoder().encode
_encode_sorted = msgspec.json.Encoder(order="sorted").encode
_writes = msgspec.json.Decoder(tuple[Written, ...]).decode
_causality = msgspec.json.Decoder(tuple[dict[str, int], list[Dot], dict[str, int], list[Dot]]).decode


class Held(NamedTuple):
    """What `region` has of a key, and what its rules made of it: `resolution` is JSON, if there was any."""

    region: str
    entry: Entry
    standing: str
    resolution: str | None


def to_row(held: Held) -> tuple[Any, ...]:
    """The row's values after its stamps. Replicas of one state have the same, whatever came first."""
    region, entry, standing, resolution = held
    layer, key, siblings, seen, received, newest, ancestors = entry
    return (
        region,
        layer,
        key,
        standing,
        version_of(entry),
        _encode(siblings).decode(),
        resolution,
        _causality_text(seen, received),
        _encode(ancestors).decode() if ancestors else "[]",
        newest.wall,
        newest.logical,
        _over_at(siblings),
    )


def from_row(values: Sequence[Any]) -> Held:
    """The state that `to_row` was given."""
    region, layer, key, standing, _, siblings, resolution, causality, ancestors, wall, logical, _ = values
    seen, beyond_seen, received, beyond_received = _causality(causality)
    entry = Entry(
        layer,
        key,
        _writes(siblings),
        CausalContext(seen, frozenset(beyond_seen)),
        CausalContext(received, frozenset(beyond_received)),
        Timestamp(wall, logical),
        _writes(ancestors),
    )
    return Held(region, entry, standing, resolution)


def resolution_text(resolution: tuple[Any, ...], names: Sequence[str]) -> str:
    """A resolution as a JSON object, its keys sorted."""
    return _encode_sorted(dict(zip(names, resolution, strict=True))).decode()


def _causality_text(seen: CausalContext, received: CausalContext) -> str:
    parts = (seen.vector, sorted(seen.beyond), received.vector, sorted(received.beyond))
    return _encode_sorted(parts).decode()


def _over_at(siblings: tuple[Written, ...]) -> int | None:
    """Unix milliseconds from which on the first of the siblings no longer stands; None for never."""
    first = min(map(expires_at, siblings), default=NEVER)
    return first if first < NEVER else None
