"""Who decides: a seeded draw by expertise and region, and the weight of each seat."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

from domain.consensus import reputation
from domain.consensus.commands import Voter
from domain.consensus.events import Seat
from domain.consensus.policy import MAX_BALLOTS, MAX_PANEL, Policy
from domain.consensus.tally import exact, seats_needed
from domain.refusal import Refusal


def draw_panel(
    candidates: Sequence[Voter],
    policy: Policy,
    topic: str,
    region: str | None,
    reputations: Mapping[str, float] | None = None,
) -> tuple[Seat, ...]:
    """The panel, in the order of the draw.

    Experts of `topic` go before others, voters of `region` before others of equal expertise; within such a
    class the order is that of SHA-256(seed, voter), so the same candidates in any order give the same panel.
    `reputations` are mean standings in (0, 1); a voter without one has the prior's.

    Raises:
        Refusal: too few candidates for the panel asked for, or for the fault model.
    """
    size = policy.panel_size or len(candidates)
    if size > len(candidates):
        raise Refusal("policy.panel_size", f"{size} seats, but only {len(candidates)} candidates were given")
    if size > MAX_PANEL:
        raise Refusal("voters", f"a panel of {size} is too large, at most {MAX_PANEL}; set policy.panel_size")
    if size * policy.max_rounds > MAX_BALLOTS:
        raise Refusal(
            "policy.max_rounds",
            f"{size} seats over {policy.max_rounds} rounds are {size * policy.max_rounds} ballots, "
            f"at most {MAX_BALLOTS} fit one outcome; allow fewer rounds or set policy.panel_size",
        )
    if size < seats_needed(policy):
        raise Refusal(
            "policy.faults",
            f"a panel of {size} cannot bear {policy.faults} byzantine voters, "
            f"{seats_needed(policy)} are needed (n >= 3f + 1)",
        )
    ranked = sorted(candidates, key=lambda voter: _rank(voter, policy.seed, topic, region))
    return _weighed(ranked[:size], policy, reputations or {})


def _rank(voter: Voter, seed: int, topic: str, region: str | None) -> tuple[bool, bool, bytes]:
    lot = hashlib.sha256(f"{seed}:{voter.id}".encode()).digest()
    return (topic not in voter.expertise, region is not None and voter.region != region, lot)


def _weighed(chosen: Sequence[Voter], policy: Policy, reputations: Mapping[str, float]) -> tuple[Seat, ...]:
    if policy.fault_model == "stake":
        weights = bounded_stakes([voter.weight for voter in chosen], policy.stake_cap)
    elif policy.weighting == "reputation":
        weights = [reputation.weight(reputations.get(voter.id)) for voter in chosen]
    else:
        weights = [1.0] * len(chosen)
    return tuple(Seat(voter.id, weight, voter.region) for voter, weight in zip(chosen, weights, strict=True))


def bounded_stakes(stakes: Sequence[float], cap: float) -> list[float]:
    """Stakes cut down until no voter holds more than `cap` of the sum that remains.

    The largest stakes are lowered to one common level (water filling); the others keep theirs. A level that
    no float holds exactly is cut down to the next float, so that no share is above the cap.

    Raises:
        Refusal: there are too few voters for any weights to respect the cap.
    """
    bound = exact(cap)
    if bound * len(stakes) < 1:
        raise Refusal(
            "policy.stake_cap", f"{len(stakes)} voters cannot each hold at most {cap:g} of the weight"
        )
    ordered = sorted((exact(stake) for stake in stakes), reverse=True)
    level = _floor(_level(ordered, bound))
    return [min(float(stake), level) for stake in stakes]


def _level(ordered: Sequence[Fraction], bound: Fraction) -> Fraction:
    """Where lowering every stake above it to it leaves each just `bound` of the sum.

    It ends: with `cut` the most stakes that can be lowered (bound * cut < 1 <= bound * (cut + 1)), the level
    is no less than all the rest together.
    """
    rest, cut = sum(ordered, Fraction(0)), 0
    level = bound * rest
    while ordered[cut] > level:
        rest -= ordered[cut]
        cut += 1
        level = bound * rest / (1 - bound * cut)
    return level


def _floor(level: Fraction) -> float:
    """The largest float whose decimal is not above `level`."""
    near = float(level)
    return near if exact(near) <= level else math.nextafter(near, 0.0)
