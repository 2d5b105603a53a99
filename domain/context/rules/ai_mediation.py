"""No rule settles it: a mediator, a panel or a person has to."""

from domain.context.rules.conflict import WHOLE, Conflict, Resolution, agreeing, undecided


def ai_mediation(conflict: Conflict) -> Resolution:
    """Says that a decision is needed, unless all wrote the same; it merges nothing and asks nobody itself."""
    siblings = conflict.siblings
    if agreeing(siblings):
        return Resolution("ai_mediation", siblings[0].value, 1.0, WHOLE, "all wrote the same")
    return undecided(f"{len(siblings)} siblings differ and no rule may merge them")
