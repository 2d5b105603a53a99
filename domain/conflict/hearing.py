"""From the opening to what each level came to: a case opened, grown, heard."""

from collections.abc import Sequence
from dataclasses import replace

from domain.conflict.commands import GrowCase, OpenCase
from domain.conflict.deliberations import level_stream, panel_heard
from domain.conflict.events import (
    CaseGrown,
    CaseOpened,
    Escalated,
    LevelBegun,
    LevelFailed,
    OpinionGiven,
    PanelHeard,
    RuleApplied,
)
from domain.conflict.levels import FINAL, RULE_OF_LAYER, initial_level, level
from domain.conflict.matter import check_matter
from domain.conflict.panels import candidates, draw_level
from domain.conflict.state import CaseState
from domain.consensus.commands import Voter
from domain.consensus.outcome import ConsensusOutcome
from domain.reasoning.told import as_told
from domain.refusal import Refusal
from domain.strict_json import check_text

MAX_RESOLUTION = 65_536
"""Of a merged value in bytes, as a context entry may have."""


class CaseIsClosed(Refusal):
    """The case has its outcome; what comes later is another case."""


def open_case(command: OpenCase) -> list[CaseOpened]:
    """Freeze the case, its policy, its members and the level on which it begins."""
    number, why = initial_level(command.case, command.level)
    members = candidates(command.members, command.topic)
    return [CaseOpened(command.case, command.policy, number, why, members)]


def grow(state: CaseState, command: GrowCase) -> list[CaseGrown]:
    """Take in further positions; nothing where each of them, or its write, stands there already.

    A level that has begun does not hear them, and its ruling does not cover them.

    Raises:
        CaseIsClosed: the case has its outcome.
        Refusal: they do not fit the case, by their place in the grown case.
    """
    case = state.opened
    known = {one.id: one for one in case.positions}
    writes = {one.dot for one in case.positions if one.dot is not None}
    further = tuple(one for one in command.positions if one.dot not in writes and known.get(one.id) != one)
    pieces = tuple(one for one in command.evidence if one not in case.evidence)
    if not further:
        return []
    if state.phase == "closed":
        raise CaseIsClosed("case", f"{case.id} is closed; open another for what came later")
    check_matter((*case.positions, *further), (*case.evidence, *pieces))
    return [CaseGrown(further, pieces)]


def begin_level(state: CaseState, members: Sequence[Voter]) -> list[LevelBegun | Escalated]:
    """Seat the level that is next, or go past it where too few may sit; nothing for one that has begun.

    `members` are all candidates there are; who may not sit is left out here.
    """
    if state.phase != "to_begin":
        return []
    case, here = state.opened, level(state.level)
    heard = len(case.positions)
    if not here.seats:
        return [LevelBegun(here.number, heard, rule=RULE_OF_LAYER[case.layer])]
    drawn = draw_level(here, case, members, state.sat, state.policy.seed)
    if drawn.shortage and here.number != FINAL:
        return [Escalated(here.number, "too_few_members", drawn.shortage)]
    return [
        LevelBegun(
            level=here.number,
            heard=heard,
            panel=drawn.panel,
            candidates=drawn.candidates,
            deliberation=level_stream(case.id, here.number) if drawn.panel else None,
            note=drawn.shortage,
        )
    ]


def record_rule(state: CaseState, outcome: RuleApplied) -> list[RuleApplied | LevelFailed]:
    """What the layer's rule came to, once; an answer that does not fit the case is a failure of the level."""
    if state.phase != "rule" or state.sitting is None:
        return []
    if outcome.rule != state.sitting.rule:
        return [LevelFailed(1, f"the node applied {outcome.rule}, not {state.sitting.rule}")]
    if outcome.choice is not None and outcome.choice not in state.options:
        return [LevelFailed(1, "the rule chose what is no position of the case")]
    if outcome.resolution is not None and (problem := _unfit(outcome.resolution)):
        return [LevelFailed(1, f"the rule's resolution {problem}")]
    return [replace(outcome, reason=as_told(outcome.reason))]


def record_panel(state: CaseState, outcome: ConsensusOutcome) -> list[PanelHeard]:
    """What the panel's deliberation came to, once.

    Raises:
        Refusal: it is another panel's.
    """
    return [panel_heard(state, outcome)] if state.phase == "panel" else []


def record_failure(state: CaseState, reason: str) -> list[LevelFailed]:
    """The level that began could not be carried out; nothing where it was, or none had begun."""
    if state.phase not in ("rule", "panel"):
        return []
    return [LevelFailed(state.level, as_told(reason))]


def record_opinion(state: CaseState, given: OpinionGiven) -> list[OpinionGiven]:
    """The mediator's opinion, once; one that does not fit the case is none, and the record says so."""
    if state.phase != "mediator":
        return []
    known = {piece.id for piece in state.opened.evidence}
    foreign = sum(cited not in known for cited in given.citations)
    if given.choice is not None and given.choice not in state.options:
        why = "the mediator chose what is no position of the case"
    elif foreign:
        why = f"the mediator cited {foreign} pieces that are not evidence of this case"
    elif not 0 <= given.confidence <= 1:
        why = "the mediator's confidence is outside 0 to 1"
    else:
        return [replace(given, rationale=as_told(given.rationale))]
    rationale = as_told(f"no verdict: {why}\n{given.rationale}")
    return [replace(given, choice=None, confidence=0.0, citations=(), rationale=rationale)]


def _unfit(resolution: str) -> str:
    try:
        check_text(resolution, "resolution")
    except Refusal as refusal:
        return refusal.problem
    size = len(resolution.encode())
    if size > MAX_RESOLUTION:
        return f"has {size} bytes, at most {MAX_RESOLUTION} are taken"
    return "is empty" if not resolution.strip() else ""
