"""Why a level did not settle a case, and what is said when none did."""

from collections.abc import Sequence
from fractions import Fraction

from domain.conflict.events import Cause, Escalated, LevelFailed, PanelHeard, RuleApplied
from domain.consensus.tally import exact
from domain.strict_json import printable

FAILED = "Conflict resolution failed at all levels: "
MAX_DETAIL = 300
"""Of one cause in characters; the whole of it stands in the events."""


def cause_of(answer: RuleApplied | PanelHeard | LevelFailed, seats: int, quorum: float) -> tuple[Cause, str]:
    """Why an answer without a choice settles nothing. `seats` is the size of the panel that gave it."""
    if isinstance(answer, LevelFailed):
        return "failure", answer.reason
    if isinstance(answer, RuleApplied):
        return "failure", f"rule {answer.rule} settles nothing: {answer.reason}"
    if Fraction(answer.cast, seats) < exact(quorum):
        return "no_quorum", f"{answer.cast} of {seats} members cast a ballot: {answer.reason}"
    return "no_consensus", answer.reason


def cause_line(level: int, cause: str, detail: str) -> str:
    """One cause in one printable line."""
    said = f": {printable(detail, MAX_DETAIL)}" if detail else ""
    return f"level {level}: {cause.replace('_', ' ')}{said}"


def causes(escalations: Sequence[Escalated], last: str) -> tuple[str, ...]:
    """One line for each level that was tried, the last one's being `last`."""
    lines = [cause_line(one.level, one.cause, one.detail) for one in escalations]
    return (*lines, last)


def failed_at_all_levels(lines: Sequence[str]) -> str:
    """What is said past level 4, in one line."""
    return FAILED + "; ".join(lines)
