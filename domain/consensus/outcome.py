"""What a deliberation answers to whoever started it."""

from dataclasses import dataclass

from domain.consensus.events import Authority, Seat, Status
from domain.consensus.policy import Policy
from domain.consensus.state import Deliberation
from domain.refusal import Refusal


@dataclass(frozen=True, slots=True)
class ConsensusOutcome:
    """The decided deliberation. `consensus` is null exactly when `status` is `unresolved`."""

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
    )
