"""What a rule is given, and what it answers."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from domain.causality.hybrid_clock import ZERO, Timestamp
from domain.context.ancestors import NO_ANCESTOR, Ancestor, common_ancestor
from domain.context.canonical import canonical, same
from domain.context.events import Written
from domain.context.order import newest_first
from domain.refusal import Refusal

TextMerge = Callable[[str, tuple[str, ...]], str]
"""Merges edits of one text: of the ancestor, the different edits, sorted. Its answer is checked."""

WHOLE = ("",)
"""The JSON pointer of a value as a whole."""


class Conflict(NamedTuple):
    """Siblings of one key, looked at from `region`.

    `siblings` stand in the total order, the latest first; `between` brings them there. `newest` is the newest
    clock known to the key; `rule` and `precedence` are the layer's.
    """

    siblings: tuple[Written, ...]
    rule: str = "ai_mediation"
    region: str = ""
    newest: Timestamp = ZERO
    precedence: tuple[str, ...] = ()
    ancestor: Ancestor = NO_ANCESTOR
    merge_text: TextMerge | None = None


class Resolution(NamedTuple):
    """What a rule made of a conflict.

    `resolution` is the strategy that settled it; null where a decision is needed, and then `reason` says why
    and `contradictions` where, as JSON pointers (RFC 6901). `merged_context` is the settled value.
    `confidence`, 0 to 1, is the share of what was written that stands in the result. `preserved_elements`
    are the pointers of what does, or would beside the contradictions.
    """

    resolution: str | None
    merged_context: Any
    confidence: float
    preserved_elements: tuple[str, ...]
    reason: str
    contradictions: tuple[str, ...] = ()


def between(
    writes: Iterable[Written],
    *,
    rule: str = "ai_mediation",
    region: str = "",
    precedence: tuple[str, ...] = (),
    known: Iterable[Written] = (),
    merge_text: TextMerge | None = None,
) -> Conflict:
    """The conflict of `writes` in any order and number; `known` are earlier writes of the key.

    Raises:
        Refusal: there is none, or they are of different keys.
    """
    siblings = newest_first(writes)
    if len({(write.layer, write.key) for write in siblings}) != 1:
        raise Refusal("writes", "of one key, at least one, make a conflict")
    ancestor = common_ancestor(siblings, known)
    return Conflict(siblings, rule, region, siblings[0].clock, precedence, ancestor, merge_text)


def all_of(values: Iterable[Any], kind: type | tuple[type, ...]) -> bool:
    """Whether all of them are of this kind."""
    for value in values:  # noqa: SIM110 # all() over a generator takes twice as long
        if not isinstance(value, kind):
            return False
    return True


def agreeing(writes: Sequence[Written]) -> bool:
    """Whether all of them wrote the same value."""
    first = writes[0].value
    return all(same(first, write.value) for write in writes[1:])


def share_of_one(writes: Sequence[Written]) -> float:
    """One over the number of different values: what stands when one of them is chosen."""
    if len(writes) == 2:  # noqa: PLR2004 # nearly always
        return 1.0 if same(writes[0].value, writes[1].value) else 0.5
    return 1 / len({canonical(write.value) for write in writes})


def undecided(
    reason: str, contradictions: tuple[str, ...] = WHOLE, preserved: tuple[str, ...] = ()
) -> Resolution:
    """The answer of a rule that cannot honestly settle it."""
    confidence = len(preserved) / (len(preserved) + len(contradictions))
    return Resolution(None, None, confidence, preserved, reason, contradictions)
