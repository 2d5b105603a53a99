"""The ruling applied: the write that stands for it in the context, over the siblings that it covers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from domain.conflict.case import Case
from domain.conflict.events import Resolved
from domain.context.decide import rule
from domain.context.events import Written
from domain.refusal import Refusal
from domain.strict_json import parse


@dataclass(frozen=True, slots=True)
class Application:
    """A resolved case whose ruling is to be written.

    `at` is the time of the event that resolved it, so that whoever has the log makes the same write again.
    """

    MAX_BYTES: ClassVar[int] = 1 << 20  # a case of 40 positions, and a merged value of 64 KiB
    case: Case
    resolved: Resolved
    at: datetime


def is_due(case: Case, resolved: Resolved) -> bool:
    """Whether there is anything to write: the case is about an entry, and its ruling covers writes of it."""
    return case.context is not None and bool(resolved.covers)


def ruling(application: Application, siblings: Sequence[Written]) -> Written:
    """The write that every region converges on; the same arguments give the same one.

    `siblings` are the writes that the ruling covers, in any order. It stands as long as the longest lived of
    them would from now on. A position that is a sibling stands with its value as it was written; any other
    with what it claims.

    Raises:
        Refusal: the case is about no entry, a covered write is not among the siblings, or the value cannot
            be shared.
    """
    case, resolved = application.case, application.resolved
    held = {write.dot: write for write in siblings}
    missing = [dot for dot in resolved.covers if dot not in held]
    if missing or not is_due(case, resolved):
        named = ", ".join(f"{dot.node}:{dot.counter}" for dot in missing) or "no entry"
        raise Refusal("covers", f"{named} of the case is not known in the shared context")
    covered = [held[dot] for dot in resolved.covers]
    lives = [write.ttl_ms for write in covered]
    return rule(
        covered,
        _value(case, resolved, held),
        case=case.id,
        number=1,
        writer=case.id,
        region=case.regions[0],
        now_ms=int(application.at.timestamp() * 1000),
        ttl_ms=None if None in lives else max(ttl for ttl in lives if ttl is not None),
    )


def _value(case: Case, resolved: Resolved, held: dict[Any, Written]) -> Any:
    chosen = case.position(resolved.choice).dot if resolved.choice is not None else None
    if chosen is not None and chosen in held:
        return held[chosen].value
    try:
        return parse(resolved.resolution)
    except Refusal:
        return resolved.resolution
