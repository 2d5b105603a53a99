"""The read model of deliberations: one row each, and every voter's record by topic."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, assert_never

import msgspec
from sqlalchemy import JSON, Column, Float, Index, Numeric, PrimaryKeyConstraint, Table

from domain.consensus.events import (
    BallotCast,
    BallotSealed,
    ConsensusEvent,
    Decided,
    MediationGiven,
    Opened,
    PersonRuled,
    RoundClosed,
    Support,
)
from domain.consensus.reputation import evidence
from domain.event import Event
from domain.refusal import ImpossibleEvent
from projections.projection import Addition
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


# Sums over final rulings (`domain.consensus.reputation`). Weights grow with the ruling's time, and outgrow
# 64 bits; `right_weight`, `wrong_weight`, `brier` and `stated` are the fields of `Evidence`.
REPUTATION = Table(
    "reputation",
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
    policy: Any  # as it was written, and never looked into
    panel: dict[str, float]
    context: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    sealed: tuple[str, ...] = ()
    ballots: dict[str, tuple[Vote, ...]] = {}
    rounds: tuple[Round, ...] = ()
    mediation: MediationGiven | None = None
    ruling: PersonRuled | None = None
    outcome: Outcome | None = None


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
_replace = msgspec.structs.replace


class ConsensusProjection:
    """Deliberations by stream; reputations by topic and voter."""

    name = "consensus"
    topic = "decisions"
    category = "consensus"
    home = DELIBERATION
    totals = REPUTATION
    adding = frozenset({Decided})

    def fold(self, state: Deliberation | None, event: Event) -> Deliberation:
        data = event.data
        if state is None:
            if not isinstance(data, Opened):
                raise ImpossibleEvent("type", f"{event.type} before the opening")
            return _opened(data, event.time)
        if not isinstance(data, ConsensusEvent) or isinstance(data, Opened):
            raise ImpossibleEvent("type", f"{event.type} inside a deliberation")
        if state.decided_at is not None:
            raise ImpossibleEvent("type", f"{event.type} after the decision")
        return _continued(state, data, event.time)

    def adds(self, state: Deliberation, event: Event) -> Iterable[Addition]:
        return _scores(state.topic, event.data, event.time) if isinstance(event.data, Decided) else ()

    def row(self, state: Deliberation) -> tuple[Any, ...]:
        return (
            state.status,
            state.question,
            state.topic,
            state.region,
            state.docket,
            state.item,
            state.consensus,
            state.agreement,
            state.rounds,
            state.opened_at,
            state.decided_at,
            _encoder.encode(state.detail).decode(),
        )

    def state(self, values: Sequence[Any]) -> Deliberation:
        return Deliberation(*(*values[:-1], _decoder.decode(values[-1])))


def _opened(data: Opened, at: datetime) -> Deliberation:
    proposal = data.proposal
    panel = {seat.voter: seat.weight for seat in data.panel}
    if len(panel) != len(data.panel):
        raise ImpossibleEvent("panel", "a voter sits twice")
    detail = Detail(
        options=proposal.options,
        candidates=data.candidates,
        policy=data.policy,
        panel=panel,
        context=proposal.context,
        evidence=proposal.evidence,
    )
    return Deliberation(
        "open",
        proposal.question,
        proposal.topic,
        proposal.region,
        data.docket,
        data.item,
        None,
        None,
        0,
        at,
        None,
        detail,
    )


def _continued(
    state: Deliberation,
    data: BallotSealed | BallotCast | RoundClosed | MediationGiven | PersonRuled | Decided,
    at: datetime,
) -> Deliberation:
    detail = state.detail
    match data:
        case BallotCast():
            _in_round(state, data.voter, data.round)
            detail = _replace(detail, ballots=_with_ballot(detail.ballots, data))
        case BallotSealed():
            _in_round(state, data.voter, data.round)
            detail = _replace(detail, sealed=(*detail.sealed, data.voter))
        case RoundClosed():
            return _round_closed(state, data)
        case MediationGiven():
            detail = _replace(detail, mediation=data)
        case PersonRuled():
            detail = _replace(detail, ruling=data)
        case Decided():
            return _decided(state, data, at)
        case _:
            assert_never(data)
    return _replace(state, detail=detail)


def _in_round(state: Deliberation, voter: str, number: int) -> None:
    if number != state.rounds + 1:
        raise ImpossibleEvent("round", f"a ballot for round {number}, but round {state.rounds + 1} is open")
    if voter not in state.detail.panel:
        raise ImpossibleEvent("voter", "a ballot by someone who is not on the panel")


def _with_ballot(ballots: dict[str, tuple[Vote, ...]], data: BallotCast) -> dict[str, tuple[Vote, ...]]:
    vote = Vote(data.choice, data.round, data.confidence, data.changed)
    before = ballots.get(data.voter, ())
    same_round = before if before and before[-1].round == data.round else ()
    return {**ballots, data.voter: (*same_round, vote)}


def _round_closed(state: Deliberation, data: RoundClosed) -> Deliberation:
    if data.round != state.rounds + 1:
        raise ImpossibleEvent("round", f"round {data.round} closed, but round {state.rounds + 1} is open")
    counted = Round(
        round=data.round,
        tally=data.tally,
        leading=data.leading,
        agreement=data.agreement,
        cast=data.cast,
        abstained=data.abstained,
        stop=data.stop,
        reason=data.reason,
        equivocators=data.equivocators,
    )
    detail = _replace(
        state.detail,
        sealed=(),
        rounds=(*state.detail.rounds, counted),
        options=data.options or state.detail.options,
    )
    return _replace(state, rounds=data.round, agreement=data.agreement, detail=detail)


def _decided(state: Deliberation, data: Decided, at: datetime) -> Deliberation:
    outcome = Outcome(
        authority=data.authority,
        reason=data.reason,
        leading=data.leading,
        majority=data.majority,
        participating_nodes=data.participating_nodes,
        time_to_consensus=data.time_to_consensus,
        ballots=data.ballots,
        posterior=data.posterior,
    )
    return _replace(
        state,
        status=data.status,
        consensus=data.consensus,
        agreement=data.agreement,
        decided_at=at,
        detail=_replace(state.detail, outcome=outcome),
    )


def _scores(topic: str, data: Decided, at: datetime) -> Iterable[Addition]:
    for score in data.scores:
        sums = evidence(score, at)
        ruled = int(score.right is not None)
        yield (
            (topic, score.voter),
            (sums.right, sums.wrong, sums.brier, sums.stated, ruled, int(score.equivocated)),
        )
