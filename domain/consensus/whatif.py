"""Takes a recorded deliberation again under another policy; touches nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from domain.consensus.commands import RecordedBallot, Voter
from domain.consensus.events import Decided, Seat
from domain.consensus.policy import Policy
from domain.consensus.recorded import hold_one_round, hold_rounds
from domain.consensus.state import Deliberation
from domain.refusal import Refusal
from domain.stream import Draft


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A decision as recorded and as the other policy would have had it."""

    id: str
    recorded: str | None
    recorded_status: str
    retaken: str | None
    retaken_status: str
    reason: str

    @property
    def differs(self) -> bool:
        return (self.recorded, self.recorded_status) != (self.retaken, self.retaken_status)


def retake(
    state: Deliberation,
    policy: Policy,
    *,
    weights: Mapping[str, float] | None = None,
    posterior: Mapping[str, float] | None = None,
) -> WhatIf:
    """Decide again from the recorded ballots.

    The panel that sat is kept. A round that the other policy would have held but nobody voted in cannot be
    invented: the deliberation then ends where its ballots end. Mediators and persons are not asked again.
    `weights` names every seat's; without them all weigh alike.

    Raises:
        Refusal: the deliberation is not settled.
    """
    decided, proposal, opened_at = state.decided, state.proposal, state.opened_at
    if decided is None or proposal is None or opened_at is None:
        raise Refusal("stream", "the deliberation is not settled; only a decision can be taken again")
    fresh = Deliberation(
        proposal=proposal,
        policy=replace(policy, otherwise="unresolved"),
        panel=_panel(state.panel, weights),
        opened_at=opened_at,
        round=1,
        options=proposal.options,
    )
    draft = Draft("whatif", "whatif", "whatif", "whatif")
    if posterior is not None or state.docket is not None:
        first = [counted.ballot for counted in state.ballots_of(1)]
        _, retaken = hold_one_round(fresh, first, draft, opened_at, posterior)
    else:
        _, retaken = hold_rounds(fresh, _voters(state), draft, opened_at)
    outcome = cast("Decided", retaken.decided)  # nobody else is asked, so the record compels one
    return WhatIf(
        id=proposal.id,
        recorded=decided.consensus,
        recorded_status=decided.status,
        retaken=outcome.consensus,
        retaken_status=outcome.status,
        reason=outcome.reason,
    )


def _panel(panel: Sequence[Seat], weights: Mapping[str, float] | None) -> tuple[Seat, ...]:
    if weights is None:
        return tuple(replace(seat, weight=1.0) for seat in panel)
    return tuple(replace(seat, weight=weights[seat.voter]) for seat in panel)


def _voters(state: Deliberation) -> list[Voter]:
    """The panel with its ballots of all rounds; an equivocator's are left out, for they count for none."""
    void = {(closed.round, voter) for closed in state.rounds for voter in closed.equivocators}
    given: dict[str, list[RecordedBallot]] = {seat.voter: [] for seat in state.panel}
    for counted in state.ballots:
        ballot = counted.ballot
        if (ballot.round, ballot.voter) not in void:
            recorded = RecordedBallot(ballot.choice, ballot.round, ballot.confidence, ballot.reason)
            given[ballot.voter].append(recorded)
    return [Voter(voter, ballots=tuple(ballots)) for voter, ballots in given.items()]
