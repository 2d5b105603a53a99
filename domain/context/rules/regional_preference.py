"""The declared region's value stands; until one arrives, each region keeps its own."""

from collections.abc import Sequence

from domain.context.events import Written
from domain.context.rules.conflict import WHOLE, Conflict, Resolution, share_of_one


def regional_preference(conflict: Conflict) -> Resolution:
    """Never needs a decision.

    A sibling of the declared region that comes first in `precedence` stands in every region. Without any of a
    declared region, the region that looks keeps its own latest, so that regions differ until the declared
    value arrives; a region without a value of its own shows the latest. Among the writes of one region the
    latest stands.
    """
    winner = preferred(conflict.siblings, conflict.precedence, conflict.region)
    if winner.region in conflict.precedence:
        reason = f"{winner.region} is preferred by the declared precedence"
    elif winner.region == conflict.region:
        reason = f"{winner.region} keeps its own until a declared region's value arrives"
    else:
        reason = "the latest, for no declared region's value is here, nor one of this region's own"
    return Resolution("regional_preference", winner.value, share_of_one(conflict.siblings), WHOLE, reason)


def preferred(siblings: Sequence[Written], precedence: Sequence[str], region: str) -> Written:
    """The maximum by rank of region, then by the total order in which `siblings` stand."""
    ranks = {name: rank for rank, name in enumerate(precedence)}
    ranks.setdefault(region, len(precedence))
    others = len(precedence) + 1
    return min(siblings, key=lambda write: ranks.get(write.region, others))
