"""Counting one round: exact, order-free, and nothing breaks a tie."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import lcm
from typing import assert_never

from domain.consensus.events import BallotCast, Seat, Support
from domain.consensus.policy import Policy
from domain.counting import share as shown


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
    in for the shares of weight, and a voter whose own labels tie has taken part all the same: the model used
    every one of them.
    """
    equivocators = equivocating(ballots)
    chosen = {
        ballot.voter: ballot.choice
        for ballot in ballots
        if ballot.choice is not None and ballot.choice in options and ballot.voter not in equivocators
    }
    heads = Counter(chosen.values())
    support, one = _in_units(_weighed(panel, chosen) if posterior is None else posterior.items())
    total = sum(support.values()) if posterior is None else one
    best = max(support.values(), default=0)
    leading = tuple(sorted(choice for choice, units in support.items() if units == best)) if best else ()
    share = Fraction(best, total) if total else Fraction(0)
    cast = len(chosen) if posterior is None else len(_labelling(ballots) | chosen.keys())
    reached, reason = _verdict(len(panel), policy, cast=cast, leading=leading, share=share, heads=heads)
    return Count(
        tally=_tally(support, one, heads),
        leading=leading,
        agreement=float(share),
        cast=cast,
        abstained=len(panel) - cast,
        equivocators=equivocators,
        reached=reached,
        reason=reason,
    )


def equivocating(ballots: Sequence[BallotCast]) -> tuple[str, ...]:
    """Voters with two different choices in these ballots of one round, sorted."""
    if len({ballot.voter for ballot in ballots}) == len(ballots):
        return ()
    said = {(ballot.voter, ballot.choice) for ballot in ballots}
    choices = Counter(voter for voter, _ in said)
    return tuple(sorted(voter for voter, number in choices.items() if number > 1))


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


def _labelling(ballots: Sequence[BallotCast]) -> set[str]:
    return {ballot.voter for ballot in ballots if ballot.labels}


def _weighed(panel: Sequence[Seat], chosen: Mapping[str, str]) -> list[tuple[str, float]]:
    return [(chosen[seat.voter], seat.weight) for seat in panel if seat.voter in chosen]


def _in_units(weighed: Collection[tuple[str, float]]) -> tuple[dict[str, int], int]:
    """Each choice's weight in whole units, and how many units a weight of 1 has.

    The unit is the largest in which every weight is whole, so the sums are exact.
    """
    weights = {weight: exact(weight) for _, weight in weighed}
    one = lcm(*(weight.denominator for weight in weights.values()))
    units = {written: weight.numerator * (one // weight.denominator) for written, weight in weights.items()}
    support: dict[str, int] = {}
    for choice, weight in weighed:
        support[choice] = support.get(choice, 0) + units[weight]
    return support, one


def _tally(support: Mapping[str, int], one: int, heads: Mapping[str, int]) -> tuple[Support, ...]:
    ranked = sorted(sorted(support), key=support.__getitem__, reverse=True)  # the order of equals is kept
    return tuple(Support(choice, support[choice] / one, heads.get(choice, 0)) for choice in ranked)


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
    if not cast:
        return False, f"none of {seats} cast a ballot"
    if cast < exact(policy.quorum) * seats:
        return False, f"{cast} of {seats} cast a ballot, the quorum is {policy.quorum} of the panel"
    if len(leading) != 1:
        return False, f"a tie of {len(leading)} choices" if leading else "no weight stands behind any choice"
    if share < exact(policy.threshold):
        return False, f"the leading choice has {shown(share)}, the threshold is {policy.threshold}"
    needed = ballots_needed(policy, seats)
    if heads[leading[0]] < needed:
        return False, f"{heads[leading[0]]} ballots agree, fault model {policy.fault_model} needs {needed}"
    return True, f"the leading choice has {shown(share)}, the threshold {policy.threshold} is reached"


def seats_needed(policy: Policy) -> int:
    """The smallest panel that the fault model allows; 0 where it asks for none (see `ballots_needed`)."""
    return 3 * policy.faults + 1 if policy.fault_model == "byzantine" else 0


def ballots_needed(policy: Policy, seats: int) -> int:
    """How many equal ballots the fault model asks for, beside the threshold.

    `crash`: a majority of the panel, so that voters who died cannot make a minority decide. `byzantine`:
    2f + 1 of n >= 3f + 1 (Lamport, Shostak, Pease 1982; Castro, Liskov 1999), so that at least f + 1 honest
    voters stand behind every decision. `stake`: two, unless the cap lets one voter hold a whole threshold, so
    that nobody decides alone because the others are silent.
    """
    match policy.fault_model:
        case "crash":
            return seats // 2 + 1
        case "byzantine":
            return 2 * policy.faults + 1
        case "stake":
            return 1 if policy.stake_cap >= policy.threshold else 2
        case None:
            return 0
        case _:
            assert_never(policy.fault_model)
