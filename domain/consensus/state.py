"""A deliberation as its events tell it. The fold refuses what could not have happened."""

import hashlib
import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never

from domain.consensus.events import (
    BallotCast,
    BallotSealed,
    ConsensusEvent,
    Decided,
    MediationGiven,
    Opened,
    PersonRuled,
    Proposal,
    RoundClosed,
    Seat,
)
from domain.consensus.policy import Policy
from domain.event import Event
from domain.refusal import Refusal


class ImpossibleEvent(Refusal):
    """An event that cannot follow from the ones before it: a forger or a bug wrote it."""


@dataclass(frozen=True, slots=True)
class CountedBallot:
    """A ballot with the id of the event that recorded it."""

    event_id: str
    ballot: BallotCast


@dataclass(frozen=True, slots=True)
class Deliberation:
    """Everything a decision about one deliberation may look at; `NOT_OPENED` before its first event."""

    proposal: Proposal | None = None
    policy: Policy = field(default_factory=Policy)
    panel: tuple[Seat, ...] = ()
    docket: str | None = None
    item: str | None = None
    opened_at: datetime | None = None
    round: int = 0
    options: tuple[str, ...] = ()
    sealed: tuple[BallotSealed, ...] = ()
    ballots: tuple[CountedBallot, ...] = ()
    rounds: tuple[RoundClosed, ...] = ()
    mediation: MediationGiven | None = None
    ruling: PersonRuled | None = None
    decided: Decided | None = None
    event_ids: tuple[str, ...] = ()

    @property
    def last_round(self) -> RoundClosed | None:
        return self.rounds[-1] if self.rounds else None

    @property
    def balloting(self) -> bool:
        """Whether a round is open for ballots."""
        return self.round > 0 and (self.last_round is None or self.last_round.stop == "open")

    def seat(self, voter: str) -> Seat | None:
        return next((seat for seat in self.panel if seat.voter == voter), None)

    def ballots_of(self, number: int) -> tuple[CountedBallot, ...]:
        return tuple(counted for counted in self.ballots if counted.ballot.round == number)


NOT_OPENED = Deliberation()


def commitment(ballot: BallotCast) -> str:
    """SHA-256, in hex, over the ballot and its secret nonce: shown while the round is open, checked after."""
    parts = [ballot.round, ballot.voter, ballot.choice, ballot.confidence, ballot.reason, ballot.nonce]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=True).encode()).hexdigest()


def fold(state: Deliberation, event: Event) -> Deliberation:
    """The state after `event`.

    Raises:
        ImpossibleEvent: the event does not belong to this capability or cannot follow what was folded so far.
    """
    data = event.data
    if not isinstance(data, ConsensusEvent):
        raise ImpossibleEvent("type", f"{event.type} is no event of a deliberation")
    changed = _apply(state, event, data)
    return replace(changed, event_ids=(*state.event_ids, event.id))


def _apply(state: Deliberation, event: Event, data: ConsensusEvent) -> Deliberation:
    if (state.proposal is None) != isinstance(data, Opened):
        when = "before" if state.proposal is None else "after"
        raise ImpossibleEvent("type", f"{event.type} {when} the opening")
    if state.decided is not None:
        raise ImpossibleEvent("type", f"{event.type} after the decision")
    if isinstance(data, Opened):
        return _opened(data, event)
    if isinstance(data, BallotSealed | BallotCast | RoundClosed):
        return _balloted(state, event.id, data)
    return _settling(state, data)


def _balloted(
    state: Deliberation, event_id: str, data: BallotSealed | BallotCast | RoundClosed
) -> Deliberation:
    match data:
        case BallotSealed():
            _seat_in_round(state, data.voter, data.round)
            return replace(state, sealed=(*state.sealed, data))
        case BallotCast():
            _seat_in_round(state, data.voter, data.round)
            _opens_its_seal(state, data)
            return replace(state, ballots=(*state.ballots, CountedBallot(event_id, data)))
        case RoundClosed():
            return _round_closed(state, data)
        case _:
            assert_never(data)


def _settling(state: Deliberation, data: MediationGiven | PersonRuled | Decided) -> Deliberation:
    last = state.last_round
    if last is None or last.stop == "open":
        raise ImpossibleEvent("type", f"{data.TYPE} before the last round was closed")
    if last.stop == "threshold" and not isinstance(data, Decided):
        raise ImpossibleEvent("type", f"{data.TYPE}, but the panel agreed")
    match data:
        case MediationGiven():
            return replace(state, mediation=data)
        case PersonRuled():
            return replace(state, ruling=data)
        case Decided():
            return replace(state, decided=data)
        case _:
            assert_never(data)


def _opened(data: Opened, event: Event) -> Deliberation:
    if len({seat.voter for seat in data.panel}) != len(data.panel):
        raise ImpossibleEvent("panel", "a voter sits twice")
    return Deliberation(
        proposal=data.proposal,
        policy=data.policy,
        panel=data.panel,
        docket=data.docket,
        item=data.item,
        opened_at=event.time,
        round=1,
        options=data.proposal.options,
    )


def _round_closed(state: Deliberation, data: RoundClosed) -> Deliberation:
    if not state.balloting or data.round != state.round:
        raise ImpossibleEvent("round", f"round {data.round} was closed, but it is not open")
    if data.stop != "open":
        return replace(state, rounds=(*state.rounds, data), sealed=())
    return replace(
        state,
        rounds=(*state.rounds, data),
        sealed=(),
        round=state.round + 1,
        options=data.options or state.options,
    )


def _seat_in_round(state: Deliberation, voter: str, number: int) -> None:
    if not state.balloting or number != state.round:
        raise ImpossibleEvent("round", f"a ballot for round {number}, but it is not open")
    if state.seat(voter) is None:
        raise ImpossibleEvent("voter", "a ballot by someone who is not on the panel")


def _opens_its_seal(state: Deliberation, ballot: BallotCast) -> None:
    seals = {sealed.commitment for sealed in state.sealed if sealed.voter == ballot.voter}
    if seals and commitment(ballot) not in seals:
        raise ImpossibleEvent("commitment", "a ballot is not the one that was sealed")
