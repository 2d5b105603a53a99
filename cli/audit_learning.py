"""How `moot audit replay` tells of learning cycles."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from domain.counting import counted

if TYPE_CHECKING:
    from audit.learning import Learned


def data(cycles: int, learned: "Learned") -> dict[str, Any]:
    """For programs: how many `cycles` had ended, what was taken again of their rounds, what could not be."""
    return {
        "cycles": cycles,
        "cohorts_drawn_again": learned.cohorts,
        "models_made_again": learned.models,
        "unproven": [{"stream": one.stream, "round": one.round, "why": one.why} for one in learned.unproven],
    }


def lines(learned: "Learned") -> str:
    """What was taken again, then why rounds could not be; nothing where there was no round."""
    if not learned.cohorts:
        return ""
    rounds = Counter(one.why for one in learned.unproven)
    again = f"{counted(learned.cohorts, 'cohort')} drawn again from stored rosters"
    told = [f"{again}, {counted(learned.models, 'round')} aggregated again from stored updates"]
    told += [f"{counted(count, 'round')} not aggregated again: {why}" for why, count in rounds.items()]
    return "\n".join([*told, ""])
