"""Decides a recorded case again from its own evidence and names the first event that differs."""

from collections.abc import Sequence
from dataclasses import replace

from domain.conflict.annulment import record_annulment
from domain.conflict.events import (
    AnnulmentAsked,
    AnnulmentDecided,
    CaseOpened,
    Escalated,
    LevelBegun,
    PanelHeard,
    Resolved,
    Unresolved,
)
from domain.conflict.fold import fold
from domain.conflict.hearing import begin_level, record_panel
from domain.conflict.panels import draw_annulment, members_of
from domain.conflict.settle import settle
from domain.conflict.state import NO_CASE, CaseState
from domain.consensus.commands import Voter
from domain.consensus.outcome import ConsensusOutcome
from domain.consensus.replay import Divergence
from domain.event import Event, EventData
from domain.refusal import Refusal


def replay(events: Sequence[Event]) -> tuple[CaseState, Divergence | None]:
    """Fold `events` of one stream, and compute again what they compel, whom they seat and how they score.

    What rules, panels, the mediator, parties and persons said is evidence, and taken as it stands.
    """
    state, members = NO_CASE, None
    for event in events:
        try:
            following = fold(state, event)
        except Refusal as refusal:
            return state, _divergence(event, str(refusal))
        if isinstance(event.data, CaseOpened) and event.data.members is not None:
            members = members_of(event.data.members, event.data.case.topic)
        elif members is not None and misdrawn(state, event.data, members):
            return state, _divergence(event, "panel: another is drawn from the members of the opening")
        if isinstance(event.data, Resolved | Unresolved):
            (follows,) = settle(state, event.time)
            if not isinstance(follows, Resolved | Unresolved) or event.data.scores != follows.scores:
                return state, _divergence(event, "scores: others follow from the votes that were recorded")
        state = following
    return state, None


def misdrawn(state: CaseState, data: EventData, members: Sequence[Voter]) -> bool:
    """Whether `data` seats others than the draw does, or nobody where it seats someone, or otherwise."""
    match data:
        case LevelBegun() | Escalated() if state.phase == "to_begin":
            follows = begin_level(state, members)
            return [_wordless(data)] != [_wordless(one) for one in follows]
        case AnnulmentAsked():
            attempt = len(state.annulments) + 1
            drawn = draw_annulment(state.opened, members, state.sat, attempt, state.policy.seed)
            return (data.panel, data.candidates) != (drawn.panel, drawn.candidates)
        case _:
            return False


def _wordless(data: LevelBegun | Escalated) -> LevelBegun | Escalated:
    return replace(data, note="") if isinstance(data, LevelBegun) else replace(data, detail="")


def hearings(events: Sequence[Event]) -> list[tuple[Event, CaseState]]:
    """Each event that tells what a panel decided, with the state of the case before it.

    Raises:
        ImpossibleEvent: the events are none of a case.
    """
    state, found = NO_CASE, []
    for event in events:
        if isinstance(event.data, PanelHeard | AnnulmentDecided):
            found.append((event, state))
        state = fold(state, event)
    return found


def misheard(event: Event, before: CaseState, outcome: ConsensusOutcome) -> Divergence | None:
    """What is recorded of a panel otherwise than its own stream tells it; words are left out."""
    try:
        record = record_panel if isinstance(event.data, PanelHeard) else record_annulment
        follows = record(before, outcome)
    except Refusal as refusal:
        return _divergence(event, str(refusal))
    if not isinstance(event.data, PanelHeard | AnnulmentDecided):
        raise TypeError(f"{event.type} tells of no panel")
    said = replace(event.data, reason="")
    if said in [replace(one, reason="") for one in follows]:
        return None
    return _divergence(event, f"{event.data.deliberation} tells it otherwise")


def _divergence(event: Event, problem: str) -> Divergence:
    return Divergence(event.id, event.version, event.type, problem)
