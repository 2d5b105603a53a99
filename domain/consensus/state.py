"""A deliberation as its events tell it. The fold refuses what could not have happened."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Any

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
    Withdrawn,
)
from domain.consensus.policy import Policy
from domain.consensus.possible import (
    check_choice,
    check_closing,
    check_escalation,
    check_outcome,
    check_seal,
    check_withdrawal,
    opened_seal,
    seated,
)
from domain.event import Event
from domain.refusal import ImpossibleEvent


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
    case: str | None = None
    opened_at: datetime | None = None
    round: int = 0
    options: tuple[str, ...] = ()
    sealed: tuple[BallotSealed, ...] = ()
    ballots: tuple[CountedBallot, ...] = ()
    rounds: tuple[RoundClosed, ...] = ()
    mediation: MediationGiven | None = None
    ruling: PersonRuled | None = None
    decided: Decided | None = None
    withdrawn: Withdrawn | None = None
    event_ids: tuple[str, ...] = ()

    @property
    def asked(self) -> tuple[str, ...]:
        """The options of the proposal, before any left."""
        return self.proposal.options if self.proposal else ()

    @property
    def last_round(self) -> RoundClosed | None:
        return self.rounds[-1] if self.rounds else None

    @property
    def balloting(self) -> bool:
        """Whether a round is open for ballots."""
        held = self.round > 0 and self.withdrawn is None
        return held and (self.last_round is None or self.last_round.stop == "open")

    def seat(self, voter: str) -> Seat | None:
        return next((seat for seat in self.panel if seat.voter == voter), None)

    def ballots_of(self, number: int) -> tuple[CountedBallot, ...]:
        return tuple(counted for counted in self.ballots if counted.ballot.round == number)


NOT_OPENED = Deliberation()


def fold(state: Deliberation, event: Event) -> Deliberation:
    """The state after `event`.

    Raises:
        ImpossibleEvent: the event does not belong to this capability or cannot follow what was folded so far.
    """
    return fold_all(state, (event,))


def fold_all(state: Deliberation, events: Iterable[Event]) -> Deliberation:
    """The state after `events`.

    Raises:
        ImpossibleEvent: as `fold`.
    """
    for cast, run in groupby(events, lambda event: isinstance(event.data, BallotCast)):
        if cast:  # a round's ballots come in a row: the state is copied once for all of them
            state = _after(state, tuple(run))
        else:
            for event in run:
                state = _after(state, (event,))
    return state


def _after(state: Deliberation, events: Sequence[Event]) -> Deliberation:
    """One event, or several ballots in a row."""
    for version, event in enumerate(events, len(state.event_ids) + 1):
        _check_place(state, event, version)
    changes = _changes(state, events)
    return replace(state, event_ids=(*state.event_ids, *[event.id for event in events]), **changes)


def _check_place(state: Deliberation, event: Event, version: int) -> None:
    if not isinstance(event.data, ConsensusEvent):
        raise ImpossibleEvent("type", f"{event.type} is no event of a deliberation")
    if (state.proposal is None) != isinstance(event.data, Opened):
        when = "before" if state.proposal is None else "after"
        raise ImpossibleEvent("type", f"{event.type} {when} the opening")
    if event.version != version:
        raise ImpossibleEvent(
            "version", f"{event.stream} is at version {version - 1}, so {event.version} is not the next"
        )
    if state.decided is not None or state.withdrawn is not None:
        end = "decision" if state.decided is not None else "withdrawal"
        raise ImpossibleEvent("type", f"{event.type} after the {end}")


def _changes(state: Deliberation, events: Sequence[Event]) -> dict[str, Any]:
    match events[0].data:
        case Opened() as data:
            return _opened(data, events[0].time)
        case BallotSealed() as data:
            _check_seats(state, [(data.voter, data.round)])
            check_seal(state.sealed, data)
            return {"sealed": (*state.sealed, data)}
        case RoundClosed() as data:
            return _round_closed(state, data)
        case MediationGiven() | PersonRuled() | Decided() as data:
            return _settling(state, data)
        case Withdrawn() as data:
            check_withdrawal(data, state.rounds, state.mediation, state.ruling)
            return {"withdrawn": data}
        case _:
            return _ballots_cast(state, events)


def _opened(data: Opened, at: datetime) -> dict[str, Any]:
    seated(data)
    return {
        "proposal": data.proposal,
        "policy": data.policy,
        "panel": data.panel,
        "docket": data.docket,
        "item": data.item,
        "case": data.case,
        "opened_at": at,
        "round": 1,
        "options": data.proposal.options,
    }


def _ballots_cast(state: Deliberation, events: Sequence[Event]) -> dict[str, Any]:
    counted = [CountedBallot(event.id, event.data) for event in events if isinstance(event.data, BallotCast)]
    _check_seats(state, [(one.ballot.voter, one.ballot.round) for one in counted])
    sealed = list(state.sealed)
    for one in counted:
        opened = opened_seal(sealed, one.ballot)
        if opened is not None:
            sealed.remove(opened)
    return {"ballots": (*state.ballots, *counted), "sealed": tuple(sealed)}


def _round_closed(state: Deliberation, data: RoundClosed) -> dict[str, Any]:
    if not state.balloting or data.round != state.round:
        raise ImpossibleEvent("round", f"round {data.round} was closed, but it is not open")
    check_closing(data, state.policy, state.options, state.sealed)
    closed = {"rounds": (*state.rounds, data)}
    if data.stop != "open":
        return closed
    return {**closed, "round": state.round + 1, "options": data.options or state.options}


def _settling(state: Deliberation, data: MediationGiven | PersonRuled | Decided) -> dict[str, Any]:
    if isinstance(data, Decided):
        check_outcome(data, state.policy, state.rounds, state.mediation, state.ruling)
        return {"decided": data}
    check_escalation(data, state.policy, state.rounds, state.mediation, state.ruling)
    check_choice(data, state.asked)
    return {"mediation": data} if isinstance(data, MediationGiven) else {"ruling": data}


def _check_seats(state: Deliberation, ballots: Sequence[tuple[str, int]]) -> None:
    panel = {seat.voter for seat in state.panel}
    for voter, number in ballots:
        if not state.balloting or number != state.round:
            raise ImpossibleEvent("round", f"a ballot for round {number}, but it is not open")
        if voter not in panel:
            raise ImpossibleEvent("voter", "a ballot by someone who is not on the panel")
