"""Counting one round: exact, order-free, and nothing breaks a tie."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from domain.consensus.events import BallotCast, Seat, Support
from domain.consensus.policy import Policy


@dataclass(frozen=True, slots=True)
class Count:
    """What one round came to. `agreement` is the leading share of the weight that was cast, in 0..1."""

    tally: tuple[Support, ...]
    leading: tuple[str, ...]
    agreement: float
    cast: int
    abstained: int
    equivocators: tuple[str, ...]
    reached: bool
    reason: str


def count(
    panel: Sequence[Seat],
    policy: Policy,
    ballots: Sequence[BallotCast],
    options: Sequence[str],
    posterior: Mapping[str, float] | None = None,
) -> Count:
    """Tally `ballots` of one round.

    A voter with two different ballots has equivocated: both stay on the record and neither counts. A ballot
    for no current option counts as an abstention. Weights and the threshold are taken as the decimals they
    were written as, so that nine of ten equal ballots reach 0.9. With a `posterior`, its probabilities stand
    in for the shares of weight.
    """
    equivocators = equivocating(ballots)
    chosen = {
        ballot.voter: ballot.choice
        for ballot in ballots
        if ballot.choice is not None and ballot.choice in options and ballot.voter not in equivocators
    }
    heads = Counter(chosen.values())
    weights = _weights(panel, chosen)
    shares = (
        {choice: exact(share) for choice, share in posterior.items()}
        if posterior is not None
        else _shares(weights)
    )
    best = max(shares.values(), default=Fraction(0))
    leading = tuple(sorted(choice for choice, share in shares.items() if share == best)) if best else ()
    reached, reason = _verdict(len(panel), policy, cast=len(chosen), leading=leading, share=best, heads=heads)
    return Count(
        tally=_tally(shares if posterior is not None else weights, heads),
        leading=leading,
        agreement=float(best),
        cast=len(chosen),
        abstained=len(panel) - len(chosen),
        equivocators=equivocators,
        reached=reached,
        reason=reason,
    )


def equivocating(ballots: Sequence[BallotCast]) -> tuple[str, ...]:
    """Voters with two different choices in these ballots of one round, sorted."""
    said: dict[str, set[str | None]] = {}
    for ballot in ballots:
        said.setdefault(ballot.voter, set()).add(ballot.choice)
    return tuple(sorted(voter for voter, choices in said.items() if len(choices) > 1))


def plurality(ballots: Sequence[BallotCast]) -> tuple[str, ...]:
    """The choice with the most ballots, one a voter; all of them where they tie."""
    void = equivocating(ballots)
    heads = Counter(
        {b.voter: b.choice for b in ballots if b.choice is not None and b.voter not in void}.values()
    )
    most = max(heads.values(), default=0)
    return tuple(sorted(choice for choice, number in heads.items() if number == most))


@lru_cache(maxsize=4096)
def exact(value: float) -> Fraction:
    """The decimal number a float was written as: 0.9 is nine tenths."""
    return Fraction(repr(value))


def _weights(panel: Sequence[Seat], chosen: Mapping[str, str]) -> dict[str, Fraction]:
    weights: dict[str, Fraction] = {}
    for seat in panel:
        choice = chosen.get(seat.voter)
        if choice is not None:
            weights[choice] = weights.get(choice, Fraction(0)) + exact(seat.weight)
    return weights


def _shares(weights: Mapping[str, Fraction]) -> dict[str, Fraction]:
    total = sum(weights.values())
    return {choice: weight / total for choice, weight in weights.items()}


def _tally(weights: Mapping[str, Fraction], heads: Mapping[str, int]) -> tuple[Support, ...]:
    ranked = sorted(weights.items(), key=lambda entry: (-entry[1], entry[0]))
    return tuple(Support(choice, float(weight), heads.get(choice, 0)) for choice, weight in ranked)


def _verdict(
    seats: int,
    policy: Policy,
    *,
    cast: int,
    leading: tuple[str, ...],
    share: Fraction,
    heads: Mapping[str, int],
) -> tuple[bool, str]:
    """Whether the round decides, and the first condition that failed if it does not."""
    if Fraction(cast, seats) < exact(policy.quorum) or not cast:
        return False, f"{cast} of {seats} cast a ballot, the quorum is {policy.quorum:g} of the panel"
    if len(leading) != 1:
        return False, f"a tie of {len(leading)} choices"
    if share < exact(policy.threshold):
        return False, f"the leading choice has {float(share):.4f}, the threshold is {policy.threshold:g}"
    needed = ballots_needed(policy, seats)
    if heads[leading[0]] < needed:
        return False, f"{heads[leading[0]]} ballots agree, fault model {policy.fault_model} needs {needed}"
    return True, f"the leading choice has {float(share):.4f}, the threshold {policy.threshold:g} is reached"


def ballots_needed(policy: Policy, seats: int) -> int:
    """How many equal ballots the fault model asks for, beside the threshold.

    `crash`: a majority of the panel, so that voters who died cannot make a minority decide. `byzantine`:
    2f + 1 of n >= 3f + 1 (Lamport, Shostak, Pease 1982; Castro, Liskov 1999), so that at least f + 1 honest
    voters stand behind every decision.
    """
    match policy.fault_model:
        case "crash":
            return seats // 2 + 1
        case "byzantine":
            return 2 * policy.faults + 1
        case "stake" | None:
            return 0
