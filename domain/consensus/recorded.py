"""A deliberation whose ballots are all known beforehand, from its opening to its outcome."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from domain.consensus.commands import OpenDeliberation, Voter
from domain.consensus.decide import close_round, open_deliberation
from domain.consensus.events import BallotCast, ReputationsRead
from domain.consensus.settle import conclude, next_step
from domain.consensus.state import NOT_OPENED, Deliberation, fold_all
from domain.event import Event
from domain.stream import Draft


def live_voters(state: Deliberation, voters: Sequence[Voter]) -> list[Voter]:
    """Voters on the panel, in its order, whose ballots are not in the input."""
    known = {voter.id: voter for voter in voters}
    seated = (known[seat.voter] for seat in state.panel)
    return [voter for voter in seated if voter.kind != "recorded"]


def ballots_for(state: Deliberation, voters: Sequence[Voter]) -> list[BallotCast]:
    """The recorded ballots of the open round; who recorded none for it stands by the one before."""
    seated = {seat.voter for seat in state.panel}
    found = []
    for voter in voters:
        if voter.id not in seated or voter.kind != "recorded":
            continue
        given = [b for b in voter.ballots if b.round <= state.round]
        if not given:
            continue
        ballot = max(given, key=lambda b: b.round)
        reason = ballot.reason if ballot.round == state.round else f"stands by round {ballot.round}"
        found.append(BallotCast(voter.id, state.round, ballot.choice, ballot.confidence, reason))
    return found


def has_last_word(state: Deliberation, voters: Sequence[Voter]) -> bool:
    """Whether no seated voter can change its mind after the open round."""
    seated = {seat.voter for seat in state.panel}
    on_panel = [voter for voter in voters if voter.id in seated]
    return all(v.kind == "recorded" and all(b.round <= state.round for b in v.ballots) for v in on_panel)


def open_and_hold(
    request: OpenDeliberation,
    reputations: Mapping[str, float],
    read: ReputationsRead | None,
    draft: Draft,
    at: datetime,
) -> list[Event]:
    """The opening and, where nobody on the panel is live, every event that follows (`hold_rounds`).

    Raises:
        Refusal: as `open_deliberation`.
    """
    events = draft.events(open_deliberation(request, reputations, read), at)
    state = fold_all(NOT_OPENED, events)
    if live_voters(state, request.voters):
        return events
    return events + hold_rounds(state, request.voters, draft, at)[0]


def hold_rounds(
    state: Deliberation, voters: Sequence[Voter], draft: Draft, at: datetime
) -> tuple[list[Event], Deliberation]:
    """Every event that follows the opening until the record compels an outcome or asks for someone else."""
    events: list[Event] = []
    while next_step(state) == "ballots":
        new = draft.events(
            close_round(state, ballots_for(state, voters), last_word=has_last_word(state, voters)), at
        )
        events += new
        state = fold_all(state, new)
    if next_step(state) == "conclude":
        new = draft.events(conclude(state, at), at)
        events += new
        state = fold_all(state, new)
    return events, state


def hold_one_round(
    state: Deliberation,
    ballots: Sequence[BallotCast],
    draft: Draft,
    at: datetime,
    posterior: Mapping[str, float] | None = None,
) -> tuple[list[Event], Deliberation]:
    """Ballots, count and outcome of a deliberation that has only this one round to hold."""
    closing = draft.events(close_round(state, ballots, last_word=True, posterior=posterior), at)
    state = fold_all(state, closing)
    concluding = draft.events(conclude(state, at, posterior), at)
    return closing + concluding, fold_all(state, concluding)
