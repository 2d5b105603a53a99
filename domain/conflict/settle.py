"""What follows from the record alone: a ruling, an escalation, a person asked, the outcome."""

from dataclasses import replace
from datetime import datetime

from domain.conflict.escalation import cause_line, cause_of, causes, failed_at_all_levels
from domain.conflict.events import (
    Cause,
    Compelled,
    Escalated,
    PanelHeard,
    PersonAsked,
    Resolved,
    RuleApplied,
    Ruled,
    Unresolved,
)
from domain.conflict.levels import FINAL
from domain.conflict.reputation import scores
from domain.conflict.state import CaseState
from domain.consensus.events import Authority


def settle(state: CaseState, at: datetime) -> list[Compelled]:  # noqa: PLR0911 # a line for each phase
    """The event that the record compels at this time; none where the case waits for someone.

    It asks nobody: the fold takes it again over every recorded one.
    """
    match state.phase:
        case "counted":
            return [_counted(state)]
        case "appealed":
            appealed = state.appeals[-1]
            return [Escalated(state.level, "appeal", f"{appealed.party}: {appealed.grounds}")]
        case "answered":
            return [_by_person(state)]
        case "overdue":
            return [_overdue(state)]
        case "annulled":
            return [_annulled(state)]
        case "appealable" | "final":
            return _stands(state, at)
        case _:
            return []


def would_rule(state: CaseState) -> Ruled | None:
    """What the level rules by itself: its rule's or its panel's answer, at level 4 else the mediator's."""
    match state.answer:
        case RuleApplied(choice=choice, resolution=merged, reason=reason) if choice or merged:
            return _ruled(state, choice, "rule", reason, merged)
        case PanelHeard(choice=str() as choice, reason=reason):
            return _ruled(state, choice, "consensus", reason)
        case _:
            opinion = state.opinion
    if opinion is None or opinion.choice is None or opinion.confidence < state.policy.mediator_confidence:
        return None
    return _ruled(state, opinion.choice, "mediator", opinion.rationale)


def _counted(state: CaseState) -> Compelled:
    ruled = would_rule(state)
    if state.level == FINAL and state.opened.critical:
        return PersonAsked("the case is critical")
    if ruled is not None:
        return ruled
    if state.level < FINAL:
        return Escalated(state.level, *_cause(state))
    if state.policy.ask_person == "undecided":
        return PersonAsked("neither the court nor the mediator decided")
    return _unresolved(state, cause_line(FINAL, *_cause(state)))


def _cause(state: CaseState) -> tuple[Cause, str]:
    seats = len(state.sitting.panel) if state.sitting else 0
    if state.answer is None:
        return "too_few_members", "nobody is left who may sit"
    return cause_of(state.answer, seats, state.policy.quorum)


def _by_person(state: CaseState) -> Ruled:
    verdict = state.verdict
    if verdict is None:
        raise AssertionError("a case is answered by a verdict")
    return _ruled(state, verdict.choice, "person", verdict.reason)


def _overdue(state: CaseState) -> Ruled | Unresolved:
    """After the deadline: what stood before a person was asked, where the policy upholds it."""
    late = "no person ruled by the deadline"
    upheld = would_rule(state) or (state.last_ruling.ruled if state.last_ruling else None)
    if state.policy.after_deadline == "uphold" and upheld is not None:
        reason = f"{late}; the ruling of level {upheld.level} is upheld: {upheld.reason}"
        return replace(upheld, level=state.level, reason=reason)
    nothing = "; there is no ruling to uphold" if state.policy.after_deadline == "uphold" else ""
    return _unresolved(state, cause_line(FINAL, "no verdict", f"{late}{nothing}"))


def _annulled(state: CaseState) -> Unresolved:
    asked = state.annulments[-1]
    why = state.annulled.reason if state.annulled else ""
    return _unresolved(state, cause_line(FINAL, f"annulled for {asked.ground}", why))


def _ruled(
    state: CaseState, choice: str | None, authority: Authority, reason: str, merged: str | None = None
) -> Ruled:
    heard = state.sitting.heard if state.sitting else 0
    said = merged if choice is None or merged is not None else state.opened.position(choice).claim
    return Ruled(state.level, heard, choice, said or "", authority, reason)


def _stands(state: CaseState, at: datetime) -> list[Compelled]:
    """The ruling is the outcome once it can be attacked no more."""
    standing, end = state.last_ruling, state.window_end()
    if standing is None or end is None or at < end:
        return []
    return [_resolved(state, standing.ruled)]


def _resolved(state: CaseState, ruled: Ruled) -> Resolved:
    return Resolved(
        resolution=ruled.resolution,
        choice=ruled.choice,
        level_used=ruled.level,
        escalations=ruled.level - state.initial_level,
        authority=ruled.authority,
        final_authority=ruled.level == FINAL,
        reasons=(*(cause_line(e.level, e.cause, e.detail) for e in state.escalations), ruled.reason),
        covers=state.opened.dots(ruled.heard),
        scores=scores(state.begun, state.heard, state.opened, ruled.choice),
    )


def _unresolved(state: CaseState, last: str) -> Unresolved:
    lines = causes(state.escalations, last)
    return Unresolved(
        lines, failed_at_all_levels(lines), scores(state.begun, state.heard, state.opened, None)
    )
