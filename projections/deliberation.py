"""The tables of deliberations and reputations, and a deliberation as one row of the first."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import JSON, Column, Float, Index, Numeric, PrimaryKeyConstraint, Table

from domain.consensus.events import MediationGiven, PersonRuled, Support, Withdrawn
from domain.consensus.policy import Policy
from projections.tables import METADATA, count, moment, stamps, text

DELIBERATION = Table(
    "deliberation",
    METADATA,
    *stamps(),
    text("status"),
    text("question"),
    text("topic"),
    text("region", required=False),
    text("docket", required=False),
    text("item", required=False),
    text("consensus", required=False),
    Column("agreement", Float, nullable=True),
    count("rounds"),
    moment("opened_at"),
    moment("decided_at", required=False),
    Column("state", JSON, nullable=False),
    PrimaryKeyConstraint("stream"),
    postgresql_with={
        "fillfactor": 80
    },  # a deliberation's row changes a few times, and then stays on its page
)
Index("deliberation_opened_at", DELIBERATION.c.opened_at)


def _sum(name: str) -> Column[Any]:
    return Column(name, Numeric, nullable=False)


def sums_of_voters(name: str) -> Table:
    """A table of sums over final rulings (`domain.consensus.reputation`), by topic and voter.

    Weights grow with the ruling's time, and outgrow 64 bits; `right_weight`, `wrong_weight`, `brier` and
    `stated` are the fields of `Evidence`.
    """
    return Table(
        name,
        METADATA,
        text("topic"),
        text("voter"),
        _sum("right_weight"),
        _sum("wrong_weight"),
        _sum("brier"),
        _sum("stated"),
        count("rulings"),
        count("equivocations"),
        PrimaryKeyConstraint("topic", "voter"),
        postgresql_with={"fillfactor": 50},  # the same few rows change in every batch
    )


REPUTATION = sums_of_voters("reputation")


class Vote(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A ballot as counted, without its reason, which stays on the log."""

    choice: str | None
    round: int
    confidence: float | None = None
    changed: bool = False


class Round(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A round as it was counted."""

    round: int
    tally: tuple[Support, ...]
    leading: tuple[str, ...]
    agreement: float
    cast: int
    abstained: int
    stop: str
    reason: str
    equivocators: tuple[str, ...] = ()


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What a decision rests on."""

    authority: str
    reason: str
    leading: tuple[str, ...]
    majority: tuple[str, ...]
    participating_nodes: tuple[str, ...]
    time_to_consensus: float
    ballots: tuple[str, ...]
    posterior: dict[str, float] | None = None


class Detail(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The nested part of a row. `ballots` holds each voter's latest round: two are an equivocation."""

    options: tuple[str, ...]
    candidates: int
    policy: msgspec.Raw  # as bytes, which are looked up where a round is closed
    panel: dict[str, float]
    context: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    sealed: tuple[str, ...] = ()
    ballots: dict[str, tuple[Vote, ...]] = {}
    rounds: tuple[Round, ...] = ()
    mediation: MediationGiven | None = None
    ruling: PersonRuled | None = None
    outcome: Outcome | None = None
    withdrawn: Withdrawn | None = None


class Deliberation(msgspec.Struct, frozen=True, gc=False):
    """A row of `deliberation` after its stamps, in the order of its columns."""

    status: str
    question: str
    topic: str
    region: str | None
    docket: str | None
    item: str | None
    consensus: str | None
    agreement: float | None
    rounds: int
    opened_at: datetime
    decided_at: datetime | None
    detail: Detail


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Detail)
_MOST = 256
_encoded: dict[int, tuple[Policy, msgspec.Raw]] = {}


def encoded(policy: Policy) -> msgspec.Raw:
    """A policy as rows hold it: deliberations share theirs, and its JSON is most of an opening's row."""
    found = _encoded.get(id(policy))  # no other has this id as long as it is kept here; a hash takes too long
    if found is None:
        if len(_encoded) >= _MOST:
            _encoded.clear()
        found = _encoded[id(policy)] = policy, msgspec.Raw(_encoder.encode(policy))
    return found[1]


def to_row(deliberation: Deliberation) -> tuple[Any, ...]:
    """The values of the columns after the stamps."""
    return (
        deliberation.status,
        deliberation.question,
        deliberation.topic,
        deliberation.region,
        deliberation.docket,
        deliberation.item,
        deliberation.consensus,
        deliberation.agreement,
        deliberation.rounds,
        deliberation.opened_at,
        deliberation.decided_at,
        _encoder.encode(deliberation.detail).decode(),
    )


def from_row(values: Sequence[Any]) -> Deliberation:
    """What `to_row` was given."""
    detail = _decoder.decode(values[-1])
    # A copy, which does not keep the whole text that it is a part of.
    detail = msgspec.structs.replace(detail, policy=detail.policy.copy())
    return Deliberation(*(*values[:-1], detail))
