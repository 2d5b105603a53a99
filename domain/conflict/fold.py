"""From events to the state of a case. The fold refuses what could not have happened."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any, assert_never

from domain.conflict import events as e
from domain.conflict.levels import FINAL
from domain.conflict.possible import check_compelled, check_evidence
from domain.conflict.state import CaseState, Phase, Standing
from domain.event import Event
from domain.refusal import ImpossibleEvent

OPEN: tuple[Phase, ...] = (
    "to_begin",
    "rule",
    "panel",
    "mediator",
    "counted",
    "appealable",
    "appealed",
    "person",
    "answered",
    "overdue",
    "final",
    "annulment",
    "annulled",
)
AFTER: dict[type[e.ConflictEvent], tuple[Phase, ...]] = {
    e.CaseOpened: ("none",),
    e.CaseGrown: OPEN,
    e.LevelBegun: ("to_begin",),
    e.DeliberationMoved: ("panel", "annulment"),
    e.RuleApplied: ("rule",),
    e.PanelHeard: ("panel",),
    e.LevelFailed: ("rule", "panel"),
    e.OpinionGiven: ("mediator",),
    e.Ruled: ("counted", "answered", "overdue"),
    e.Escalated: ("to_begin", "counted", "appealed"),
    e.Appealed: ("appealable",),
    e.PersonAsked: ("counted",),
    e.Reminded: ("person",),
    e.DeadlinePassed: ("person",),
    e.VerdictGiven: ("person",),
    e.AnnulmentAsked: ("final",),
    e.AnnulmentDecided: ("annulment",),
    e.Resolved: ("appealable", "final"),
    e.Unresolved: ("counted", "overdue", "annulled"),
    e.Withdrawn: OPEN,
}
"""In which phases each event can happen."""


def fold(state: CaseState, event: Event) -> CaseState:
    """The state after `event`.

    Raises:
        ImpossibleEvent: the event does not belong to this capability or cannot follow what was folded so far.
    """
    data = event.data
    if not isinstance(data, e.ConflictEvent):
        raise ImpossibleEvent("type", f"{event.type} is no event of a case")
    if event.version != len(state.event_ids) + 1:
        raise ImpossibleEvent(
            "version",
            f"{event.stream} is at version {len(state.event_ids)}, so {event.version} is not the next",
        )
    if state.phase not in AFTER[type(data)]:
        raise ImpossibleEvent("type", f"{event.type} cannot happen while the case is in phase {state.phase}")
    if isinstance(data, e.Compelled):
        check_compelled(state, data, event.time)
        changes = _concluded(state, data, event.time)
    else:
        check_evidence(state, data, event.time)
        changes = _learned(state, data, event.time)
    return replace(state, event_ids=(*state.event_ids, event.id), **changes)


def fold_all(state: CaseState, events: Iterable[Event]) -> CaseState:
    """The state after all of `events`."""
    for event in events:
        state = fold(state, event)
    return state


def _learned(  # noqa: C901, PLR0911, PLR0912 # a line for each kind of event
    state: CaseState, data: e.Evidential, at: datetime
) -> dict[str, Any]:
    match data:
        case e.CaseOpened():
            return _opened(data, at)
        case e.CaseGrown():
            return {"case": grown(state, data)}
        case e.LevelBegun():
            return {"begun": (*state.begun, data), "answer": None, "phase": _hearing(data)}
        case e.DeliberationMoved():
            return _moved(state, data)
        case e.RuleApplied() | e.LevelFailed():
            return {"answer": data, "phase": _answered(state)}
        case e.PanelHeard():
            return {"answer": data, "heard": (*state.heard, data), "phase": _answered(state)}
        case e.OpinionGiven():
            return {"opinion": data, "phase": "counted"}
        case e.Appealed():
            return {"appeals": (*state.appeals, data), "phase": "appealed"}
        case e.Reminded():
            return {"reminders": data.number}
        case e.DeadlinePassed():
            return {"deadline_passed": True, "phase": "person" if data.then == "hold" else "overdue"}
        case e.VerdictGiven():
            return {"verdict": data, "phase": "answered"}
        case e.AnnulmentAsked():
            return {"annulments": (*state.annulments, data), "phase": "annulment"}
        case e.AnnulmentDecided():
            return {"annulled": data, "phase": "annulled" if data.annulled else "final"}
        case e.Withdrawn():
            return {"outcome": data, "closed_at": at, "phase": "closed"}
        case _:
            assert_never(data)


def _concluded(state: CaseState, data: e.Compelled, at: datetime) -> dict[str, Any]:
    match data:
        case e.Ruled():
            phase = "final" if data.level == FINAL else "appealable"
            return {"rulings": (*state.rulings, Standing(data, at)), "phase": phase}
        case e.Escalated():
            escalations = (*state.escalations, data)
            return {"escalations": escalations, "level": data.level + 1, "phase": "to_begin"}
        case e.PersonAsked():
            return {"asked_at": at, "phase": "person"}
        case e.Resolved() | e.Unresolved():
            return {"outcome": data, "closed_at": at, "phase": "closed"}
        case _:
            assert_never(data)


def grown(state: CaseState, data: e.CaseGrown) -> Any:
    """The case with the further positions and pieces behind its own."""
    case = state.opened
    return replace(
        case, positions=(*case.positions, *data.positions), evidence=(*case.evidence, *data.evidence)
    )


def _opened(data: e.CaseOpened, at: datetime) -> dict[str, Any]:
    return {
        "case": data.case,
        "policy": data.policy,
        "opened_at": at,
        "initial_level": data.initial_level,
        "level": data.initial_level,
        "phase": "to_begin",
    }


def _moved(state: CaseState, data: e.DeliberationMoved) -> dict[str, Any]:
    if state.phase == "panel":
        *before, last = state.begun
        return {"begun": (*before, replace(last, deliberation=data.deliberation))}
    *asked, attack = state.annulments
    return {"annulments": (*asked, replace(attack, deliberation=data.deliberation))}


def _hearing(data: e.LevelBegun) -> Phase:
    if data.rule is not None:
        return "rule"
    return "panel" if data.panel else "mediator"


def _answered(state: CaseState) -> Phase:
    """After its panel the highest level hears the mediator; any other level's answer is counted."""
    return "mediator" if state.level == FINAL else "counted"
