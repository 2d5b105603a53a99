"""What a case answers to whoever brought it."""

from dataclasses import dataclass

from domain.causality.causal_context import Dot
from domain.conflict.events import Unresolved, Withdrawn
from domain.conflict.state import CaseState
from domain.consensus.events import Authority, Score
from domain.refusal import Refusal


class ResolutionFailed(Refusal):
    """No level settled the case: `Conflict resolution failed at all levels: …`."""


@dataclass(frozen=True, slots=True)
class ConflictResult:
    """The resolved case.

    `resolution` is what the ruling says, `choice` the position it took, null where a rule merged them.
    `final_authority` is true at level 4 and null below. `covers` are the writes that the applied ruling
    supersedes; `unheard` those that came too late for it and stay as they are. `applied` is the id of the
    event that writes the ruling into the shared context, `unapplied` why there is none although it is about
    an entry.
    """

    id: str
    resolution: str
    choice: str | None
    level_used: int
    escalations: int
    authority: Authority
    final_authority: bool | None
    reasons: tuple[str, ...]
    event_ids: tuple[str, ...]
    covers: tuple[Dot, ...]
    unheard: tuple[Dot, ...]
    scores: tuple[Score, ...]
    applied: str | None = None
    unapplied: str | None = None


def result_of(state: CaseState) -> ConflictResult:
    """The result of a resolved case.

    Raises:
        ResolutionFailed: the case ended without a resolution; the line names every cause.
        Refusal: the case is still open, or was withdrawn.
    """
    resolved = state.outcome
    if resolved is None:
        raise Refusal("case", "it is still open; `moot conflict watch` follows it")
    if isinstance(resolved, Unresolved):
        raise ResolutionFailed("", resolved.reason)
    if isinstance(resolved, Withdrawn):
        raise Refusal("case", f"{state.opened.id} was withdrawn; it has no resolution")
    covered = set(resolved.covers)
    dots = state.opened.dots(len(state.opened.positions))
    return ConflictResult(
        id=state.opened.id,
        resolution=resolved.resolution,
        choice=resolved.choice,
        level_used=resolved.level_used,
        escalations=resolved.escalations,
        authority=resolved.authority,
        final_authority=resolved.final_authority or None,
        reasons=resolved.reasons,
        event_ids=state.event_ids,
        covers=resolved.covers,
        unheard=tuple(dot for dot in dots if dot not in covered),
        scores=resolved.scores,
    )
