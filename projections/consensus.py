"""The read model of deliberations: the fold to one row each, and to every voter's record by topic."""

from collections.abc import Iterable
from datetime import datetime
from typing import assert_never

import msgspec

from domain.consensus.events import (
    BallotCast,
    BallotSealed,
    ConsensusEvent,
    Decided,
    MediationGiven,
    Opened,
    PersonRuled,
    RoundClosed,
    Withdrawn,
)
from domain.consensus.policy import Policy
from domain.consensus.possible import (
    check_closing,
    check_escalation,
    check_outcome,
    check_withdrawal,
    seated,
)
from domain.consensus.reputation import evidence
from domain.event import Event
from domain.refusal import ImpossibleEvent
from eventlog.shared_policy import policy
from projections.deliberation import (
    DELIBERATION,
    REPUTATION,
    Deliberation,
    Detail,
    Outcome,
    Round,
    Vote,
    encoded,
    from_row,
    to_row,
)
from projections.projection import Addition

_replace = msgspec.structs.replace
WITHDRAWN = "withdrawn"


class ConsensusProjection:
    """Deliberations by stream; reputations by topic and voter."""

    name = "consensus"
    topic = "decisions"
    category = "consensus"
    home = DELIBERATION
    totals = REPUTATION
    adding = frozenset({Decided})
    numbered = True
    rules = ""

    def fold(self, state: Deliberation | None, event: Event) -> Deliberation:
        data = event.data
        if state is None:
            if not isinstance(data, Opened):
                raise ImpossibleEvent("type", f"{event.type} before the opening")
            return _opened(data, event.time)
        if not isinstance(data, ConsensusEvent) or isinstance(data, Opened):
            raise ImpossibleEvent("type", f"{event.type} inside a deliberation")
        if self.settled(state):
            end = "decision" if state.decided_at is not None else "withdrawal"
            raise ImpossibleEvent("type", f"{event.type} after the {end}")
        return _continued(state, data, event.time)

    def adds(self, state: Deliberation, event: Event) -> Iterable[Addition]:
        return _scores(state.topic, event.data, event.time) if isinstance(event.data, Decided) else ()

    def settled(self, state: Deliberation) -> bool:
        return state.decided_at is not None or state.status == WITHDRAWN

    row = staticmethod(to_row)
    state = staticmethod(from_row)


def _opened(data: Opened, at: datetime) -> Deliberation:
    proposal = data.proposal
    detail = Detail(
        options=proposal.options,
        candidates=data.candidates,
        policy=encoded(data.policy),
        panel=seated(data),
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
    data: BallotSealed | BallotCast | RoundClosed | MediationGiven | PersonRuled | Decided | Withdrawn,
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
        case MediationGiven() | PersonRuled():
            detail = _escalated(detail, data)
        case Decided():
            return _decided(state, data, at)
        case Withdrawn():
            return _withdrawn(state, data)
        case _:
            assert_never(data)
    return _replace(state, detail=detail)


def _in_round(state: Deliberation, voter: str, number: int) -> None:
    _check_open(state, number)
    if voter not in state.detail.panel:
        raise ImpossibleEvent("voter", "a ballot by someone who is not on the panel")


def _check_open(state: Deliberation, number: int) -> None:
    rounds = state.detail.rounds
    if number != len(rounds) + 1 or (rounds and rounds[-1].stop != "open"):
        raise ImpossibleEvent("round", f"round {number} is not open")


def _with_ballot(ballots: dict[str, tuple[Vote, ...]], data: BallotCast) -> dict[str, tuple[Vote, ...]]:
    vote = Vote(data.choice, data.round, data.confidence, data.changed)
    before = ballots.get(data.voter, ())
    same_round = before if before and before[-1].round == data.round else ()
    return {**ballots, data.voter: (*same_round, vote)}


def _round_closed(state: Deliberation, data: RoundClosed) -> Deliberation:
    _check_open(state, data.round)
    # Seals are held by their voters' names only: whether one is open still is for a replay to find.
    check_closing(data, _policy(state.detail), state.detail.options, held=())
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


def _policy(detail: Detail) -> Policy:
    return policy(bytes(detail.policy))


def _escalated(detail: Detail, data: MediationGiven | PersonRuled) -> Detail:
    # Options that left in a round are not kept here: whether the choice was one is for a replay to find.
    check_escalation(data, _policy(detail), detail.rounds, detail.mediation, detail.ruling)
    if isinstance(data, MediationGiven):
        return _replace(detail, mediation=data)
    return _replace(detail, ruling=data)


def _decided(state: Deliberation, data: Decided, at: datetime) -> Deliberation:
    # Whether the rounds follow from the ballots is `moot audit replay`'s to find: nothing is counted here.
    detail = state.detail
    check_outcome(data, _policy(detail), detail.rounds, detail.mediation, detail.ruling)
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
        detail=_replace(detail, outcome=outcome),
    )


def _withdrawn(state: Deliberation, data: Withdrawn) -> Deliberation:
    detail = state.detail
    check_withdrawal(data, detail.rounds, detail.mediation, detail.ruling)
    return _replace(state, status=WITHDRAWN, detail=_replace(detail, sealed=(), withdrawn=data))


def _scores(topic: str, data: Decided, at: datetime) -> Iterable[Addition]:
    for score in data.scores:
        sums = evidence(score, at)
        ruled = int(score.right is not None)
        yield (
            (topic, score.voter),
            (sums.right, sums.wrong, sums.brier, sums.stated, ruled, int(score.equivocated)),
        )
