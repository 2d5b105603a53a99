"""What the next round votes on: a pure rule over the round before."""

from collections.abc import Sequence

from domain.consensus.events import BallotCast, Objection
from domain.consensus.policy import Policy
from domain.consensus.tally import Count, exact

MAX_OBJECTIONS = 20
MAX_QUOTED = 500


def refined_options(options: Sequence[str], counted: Count, policy: Policy) -> tuple[str, ...]:
    """The options that stay: those at or above the floor, and always the two best supported.

    The share is of the weight cast. Where options tie for the second place, all of them stay.
    """
    total = sum((exact(support.weight) for support in counted.tally), exact(0.0))
    if not total:
        return tuple(options)
    shares = {support.choice: exact(support.weight) / total for support in counted.tally}
    second = sorted((shares.get(option, exact(0.0)) for option in options), reverse=True)[1]
    bar = min(exact(policy.floor), second)
    return tuple(option for option in options if shares.get(option, exact(0.0)) >= bar)


def objections(ballots: Sequence[BallotCast], counted: Count) -> tuple[Objection, ...]:
    """Reasons given against the leading choice, at most twenty, each cut at 500 characters."""
    against = [b for b in ballots if b.reason and b.choice not in counted.leading]
    return tuple(Objection(b.voter, b.choice, b.reason[:MAX_QUOTED]) for b in against[:MAX_OBJECTIONS])
