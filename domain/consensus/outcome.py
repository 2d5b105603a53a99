"""What a deliberation answers to whoever started it."""

from dataclasses import dataclass

from domain.consensus.events import Authority, Seat, Status
from domain.consensus.policy import Policy
from domain.consensus.state import Deliberation
from domain.consensus.tally import equivocating
from domain.refusal import Refusal


@dataclass(frozen=True, slots=True)
class FirstBallot:
    """A voter's ballot of round 1, given before it knew the others'; `choice` null abstains."""

    voter: str
    choice: str | None
    confidence: float | None = None
    equivocated: bool = False


@dataclass(frozen=True, slots=True)
class ConsensusOutcome:
    """The decided deliberation. `consensus` is null exactly when `status` is `unresolved`.

    `cast` counts the ballots of the last round. `first_ballots` are told only to the conflict case that holds
    the deliberation: its outcome scores them.
    """

    id: str
    consensus: str | None
    status: Status
    authority: Authority
    reason: str
    leading: tuple[str, ...]
    agreement: float
    rounds_required: int
    participating_nodes: tuple[str, ...]
    time_to_consensus: float
    policy: Policy
    panel: tuple[Seat, ...]
    event_ids: tuple[str, ...]
    cast: int = 0
    first_ballots: tuple[FirstBallot, ...] = ()


def outcome_of(state: Deliberation) -> ConsensusOutcome:
    """The outcome of a settled deliberation.

    Raises:
        Refusal: it is not settled.
    """
    decided, proposal = state.decided, state.proposal
    if decided is None or proposal is None:
        raise Refusal("state", "the deliberation is not settled")
    return ConsensusOutcome(
        id=proposal.id,
        consensus=decided.consensus,
        status=decided.status,
        authority=decided.authority,
        reason=decided.reason,
        leading=decided.leading,
        agreement=decided.agreement,
        rounds_required=decided.rounds_required,
        participating_nodes=decided.participating_nodes,
        time_to_consensus=decided.time_to_consensus,
        policy=decided.policy,
        panel=state.panel,
        event_ids=state.event_ids,
        cast=state.rounds[-1].cast,
        first_ballots=first_ballots(state) if state.case is not None else (),
    )


def first_ballots(state: Deliberation) -> tuple[FirstBallot, ...]:
    """The ballots of round 1, one a voter; later ones may only follow the others.

    Whoever equivocated in any round has no choice here.
    """
    first = [counted.ballot for counted in state.ballots_of(1)]
    void = {*equivocating(first), *(voter for closed in state.rounds for voter in closed.equivocators)}
    ballots = {one.voter: FirstBallot(one.voter, one.choice, one.confidence) for one in first}
    clean = (ballot for ballot in ballots.values() if ballot.voter not in void)
    return (*clean, *(FirstBallot(voter, None, equivocated=True) for voter in sorted(void)))
