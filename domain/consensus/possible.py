"""What could not have happened: the rules an event must keep to follow from the ones before it."""

import hashlib
import json
import math
from collections.abc import Sequence
from typing import Protocol

from domain.consensus.events import (
    Authority,
    BallotCast,
    BallotSealed,
    Decided,
    MediationGiven,
    Opened,
    PersonRuled,
    RoundClosed,
    Status,
    Withdrawn,
)
from domain.consensus.policy import Policy
from domain.refusal import ImpossibleEvent


class Counted(Protocol):
    """Of a closed round, what a decision rests on."""

    @property
    def stop(self) -> str: ...
    @property
    def leading(self) -> tuple[str, ...]: ...


_INFINITE = math.inf
MAX_SEALS = 2
"""Seals of one voter in one round: the ballot, and the other one that makes it an equivocation."""


def commitment(ballot: BallotCast) -> str:
    """SHA-256, in hex, over the ballot and its secret nonce: shown while the round is open, checked after."""
    # A whole confidence may be an int here and a float once it was read from the log.
    confidence = None if ballot.confidence is None else float(ballot.confidence)
    parts = [ballot.round, ballot.voter, ballot.choice, confidence, ballot.reason, ballot.nonce]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=True).encode()).hexdigest()


def compelled(
    policy: Policy, last: RoundClosed, mediation: MediationGiven | None, ruling: PersonRuled | None
) -> tuple[str | None, Status, Authority, str]:
    """What the record allows to be decided: the choice or null, its status, who says so, and why."""
    return *allowed(last, mediation, ruling), _why(policy, last, mediation, ruling)


def allowed(
    last: Counted, mediation: MediationGiven | None, ruling: PersonRuled | None
) -> tuple[str | None, Status, Authority]:
    """As `compelled`, without the words."""
    if last.stop == "threshold":
        return last.leading[0], "consensus", "consensus"
    if ruling is not None:
        return ruling.choice, "ruled_by_person", "person"
    if mediation is None or mediation.choice is None:
        return None, "unresolved", "rule"
    return mediation.choice, "mediated", "mediator"


def _why(
    policy: Policy, last: RoundClosed, mediation: MediationGiven | None, ruling: PersonRuled | None
) -> str:
    if last.stop == "threshold":
        return last.reason
    if ruling is not None:
        return ruling.reason
    if mediation is None:
        tried = "; no person ruled in time" if policy.otherwise == "person" else ""
        return f"{last.reason}{tried}"
    if mediation.choice is None:
        return f"{last.reason}; the mediator abstained"
    return mediation.statement


def seated(data: Opened) -> dict[str, float]:
    """The weight of every voter on the panel.

    Raises:
        ImpossibleEvent: nobody sits on it, a voter sits twice, or a weight is none.
    """
    weights = {}
    for seat in data.panel:  # one plain loop: every opening passes here on its way into the read model
        weight = weights[seat.voter] = seat.weight
        if not 0 <= weight < _INFINITE:
            raise ImpossibleEvent("panel", "a seat's weight is not a number from 0")
    if not weights or len(weights) != len(data.panel):
        raise ImpossibleEvent("panel", "nobody sits on it, or a voter sits twice")
    return weights


def check_seal(held: Sequence[BallotSealed], data: BallotSealed) -> None:
    mine = [sealed.commitment for sealed in held if sealed.voter == data.voter]
    if data.commitment in mine or len(mine) >= MAX_SEALS:
        raise ImpossibleEvent("commitment", "a ballot is sealed twice, or a voter has too many under seal")


def opened_seal(held: Sequence[BallotSealed], ballot: BallotCast) -> BallotSealed | None:
    """The seal that `ballot` opens; none for a ballot that was never under seal.

    Raises:
        ImpossibleEvent: the voter sealed another ballot, or the ballot claims a seal that is not there.
    """
    mine = [sealed for sealed in held if sealed.voter == ballot.voter]
    if not mine and ballot.nonce is None:
        return None
    expected = commitment(ballot)
    for sealed in mine:
        if sealed.commitment == expected:
            return sealed
    raise ImpossibleEvent("commitment", "a ballot is not the one that was sealed")


def check_closing(
    data: RoundClosed, policy: Policy, options: Sequence[str], held: Sequence[BallotSealed]
) -> None:
    if held:
        raise ImpossibleEvent("commitment", f"{len(held)} sealed ballots were not counted")
    if data.stop == "threshold" and len(data.leading) != 1:
        raise ImpossibleEvent("leading", f"{len(data.leading)} choices cannot have passed the threshold")
    if data.stop == "open" and data.round >= policy.max_rounds:
        raise ImpossibleEvent("stop", f"round {data.round} was the last, the policy allows no other")
    if data.options and not set(data.options) <= set(options):
        raise ImpossibleEvent("options", "an option appears that was not there before")


def check_escalation(
    data: MediationGiven | PersonRuled,
    policy: Policy,
    rounds: Sequence[Counted],
    mediation: MediationGiven | None,
    ruling: PersonRuled | None,
) -> None:
    """Whether the rounds left it to somebody to decide, and to this one; not whether the choice was asked."""
    last = _last_closed(data, rounds)
    _check_undecided(data, last, mediation, ruling)
    wanted = "mediate" if isinstance(data, MediationGiven) else "person"
    if policy.otherwise != wanted:
        raise ImpossibleEvent(
            "type", f"{data.TYPE}, but without consensus the policy says {policy.otherwise}"
        )


def check_choice(data: MediationGiven | PersonRuled, asked: Sequence[str]) -> None:
    if data.choice is not None and data.choice not in asked:
        raise ImpossibleEvent("choice", "the choice is no option of the proposal")


def check_withdrawal(
    data: Withdrawn,
    rounds: Sequence[Counted],
    mediation: MediationGiven | None,
    ruling: PersonRuled | None,
) -> None:
    """Nothing may be taken back that the record has decided already."""
    _check_undecided(data, rounds[-1] if rounds else None, mediation, ruling)
    if data.rounds != len(rounds):
        raise ImpossibleEvent("rounds", f"{data.TYPE} tells of {data.rounds} rounds, {len(rounds)} were held")


def check_outcome(
    data: Decided,
    policy: Policy,
    rounds: Sequence[Counted],
    mediation: MediationGiven | None,
    ruling: PersonRuled | None,
) -> None:
    """Whether the decision follows from the rounds as they were counted, under the policy of the opening."""
    last = _last_closed(data, rounds)
    # The words of a reason may improve from one version to the next; what was decided may not.
    if (data.consensus, data.status, data.authority) != allowed(last, mediation, ruling):
        raise ImpossibleEvent("status", f"{data.status} by {data.authority} does not follow from the record")
    if (data.rounds_required, data.leading) != (len(rounds), last.leading):
        raise ImpossibleEvent("rounds_required", "the decision tells of other rounds than were held")
    if data.policy is not policy and data.policy != policy:  # nearly always it is the same object
        raise ImpossibleEvent("policy", "the decision names another policy than the opening")


def _last_closed(data: MediationGiven | PersonRuled | Decided, rounds: Sequence[Counted]) -> Counted:
    if not rounds or rounds[-1].stop == "open":
        raise ImpossibleEvent("type", f"{data.TYPE} before the last round was closed")
    return rounds[-1]


def _check_undecided(
    data: MediationGiven | PersonRuled | Withdrawn,
    last: Counted | None,
    mediation: MediationGiven | None,
    ruling: PersonRuled | None,
) -> None:
    if mediation is not None or ruling is not None or (last is not None and last.stop == "threshold"):
        raise ImpossibleEvent("type", f"{data.TYPE}, but there is a decision to state already")
