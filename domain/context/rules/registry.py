"""From a conflict to its type, from the type to a strategy, from the strategy to a resolution."""

from collections.abc import Callable, Mapping
from typing import Literal

from domain.context.rules.ai_mediation import ai_mediation
from domain.context.rules.conflict import Conflict, Resolution, agreeing, all_of
from domain.context.rules.last_writer_wins import last_writer_wins
from domain.context.rules.regional_preference import regional_preference
from domain.context.rules.semantic_merge import semantic_merge
from domain.context.rules.temporal_merge import temporal_merge
from domain.context.rules.temporal_priority import temporal_priority
from domain.refusal import Refusal
from domain.strict_json import printable

Strategy = Callable[[Conflict], Resolution]
ConflictType = Literal[
    "recency", "regional_variants", "chronicle", "validity", "structured", "edited_text", "contradiction"
]

STRATEGIES: Mapping[str, Strategy] = {
    "last_writer_wins": last_writer_wins,
    "temporal_merge": temporal_merge,
    "semantic_merge": semantic_merge,
    "regional_preference": regional_preference,
    "temporal_priority": temporal_priority,
    "ai_mediation": ai_mediation,
}
CHOSEN: Mapping[ConflictType, str] = {
    "recency": "last_writer_wins",
    "regional_variants": "regional_preference",
    "chronicle": "temporal_merge",
    "validity": "temporal_priority",
    "structured": "semantic_merge",
    "edited_text": "semantic_merge",
    "contradiction": "ai_mediation",
}
_TYPE_OF_RULE: Mapping[str, ConflictType] = {
    "last_writer_wins": "recency",
    "regional_preference": "regional_variants",
    "temporal_priority": "validity",
    "ai_mediation": "contradiction",
}


class UnknownStrategy(Refusal):
    """No strategy has this name."""


def strategy(name: str) -> Strategy:
    """The strategy of this name.

    Raises:
        UnknownStrategy: there is none.
    """
    found = STRATEGIES.get(name)
    if found is None:
        raise UnknownStrategy("", f"Unknown resolution strategy: {printable(name)}")
    return found


def classify(conflict: Conflict) -> ConflictType:
    """What kind of conflict it is, by its layer's rule and by what the siblings hold.

    Raises:
        UnknownStrategy: the layer's rule is none.
    """
    rule, siblings = conflict.rule, conflict.siblings
    if rule == "semantic_merge":
        values = [write.value for write in siblings]
        if all_of(values, dict):
            return "structured"
        return "edited_text" if all_of(values, str) or agreeing(siblings) else "contradiction"
    if rule == "temporal_merge":
        events = all_of([write.value for write in siblings], (dict, list))
        return "chronicle" if events or agreeing(siblings) else "contradiction"
    strategy(rule)
    return _TYPE_OF_RULE[rule]


def resolve(conflict: Conflict, name: str | None = None) -> Resolution:
    """Settle the conflict by the strategy `name`, or by the one that its type calls for.

    Raises:
        UnknownStrategy: neither `name` nor the layer's rule may be unknown.
    """
    return strategy(name if name is not None else CHOSEN[classify(conflict)])(conflict)
