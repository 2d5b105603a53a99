"""A case in words and tables, for the Temporal UI, queries and terminals."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from domain.conflict.decide import next_step
from domain.conflict.escalation import cause_of
from domain.conflict.events import LevelBegun, LevelFailed, Resolved, Unresolved
from domain.conflict.levels import LEVELS
from domain.conflict.persons import deadline
from domain.conflict.state import CaseState
from domain.counting import counted
from domain.strict_json import printable
from workflows.consensus_text import escaped

_DETAILS = 18_000  # Temporal shows 20,000 bytes
_FEW = 15


def table(state: CaseState, unapplied: str | None = None) -> str:
    """The live picture as markdown; whatever people wrote in it is escaped, for it is not ours.

    `unapplied`: why the ruling is not written into the shared context.
    """
    if state.case is None:
        return "not opened yet"
    case = state.opened
    head = [
        f"**{escaped(case.question, 400)}**",
        f"{case.kind}, layer {case.layer}, severity {case.severity:g}, critical {case.critical}",
        f"status **{escaped(state.status)}**",
        "",
        "| position | of | claim |",
        "|---|---|---|",
        *(f"| {escaped(p.id)} | {escaped(p.party)} | {escaped(p.claim, 120)} |" for p in case.positions[:40]),
        "",
        "| level | heard by | votes | came to |",
        "|---|---|---|---|",
        *(f"| {level} | {by} | {votes} | {came} |" for level, by, votes, came in _levels(state)),
    ]
    tail = [] if unapplied is None else ["", f"not applied: {escaped(unapplied, 600)}"]
    text = "\n".join([*head, "", escaped(_end(state), 600), *tail])
    return text.encode()[:_DETAILS].decode(errors="ignore")


def explanation(state: CaseState) -> str:
    """How it came about, one line a step."""
    if state.case is None:
        return "The case is not opened yet."
    case = state.opened
    lines = [printable(case.question, 400)]
    lines += [
        f"  {printable(one.id)} ({printable(one.party)}): {printable(one.claim, 300)}"
        for one in case.positions
    ]
    for level, by, votes, came in _levels(state, plain=True):
        lines.append(f"Level {level}, {by}: {f'{votes}; ' if votes else ''}{came or 'it is being heard'}.")
    if state.opinion is not None:
        said = f"holds for {state.opinion.choice}" if state.opinion.choice else "gives no verdict"
        lines.append(f"The mediator ({printable(state.opinion.mediator)}) {printable(said)}.")
    if state.verdict is not None:
        given = state.verdict
        lines.append(
            f"{printable(given.person)} gave the verdict {printable(given.choice)}:"
            f" {printable(given.reason, 300)}"
        )
    lines += [
        f"{printable(asked.party)} asked for annulment for {asked.ground}: {printable(asked.statement, 300)}"
        for asked in state.annulments
    ]
    return "\n".join([*lines, _end(state)])


def summary(state: CaseState) -> dict[str, Any]:
    """Where it stands, for programs."""
    case = state.case
    end, late = state.window_end(), deadline(state)
    held = state.annulments[-1] if state.phase == "annulment" else state.sitting
    return {
        "id": case.id if case else None,
        "question": case.question if case else None,
        "status": state.status if case else "opening",
        "waits_for": "settled" if state.phase == "closed" else type(next_step(state)).__name__,
        "level": state.level,
        "initial_level": state.initial_level,
        "positions": list(case.positions) if case else [],
        "parties": list(case.parties) if case else [],
        "panel": [member.voter for member in held.panel] if held else [],
        "deliberation": held.deliberation if held else None,
        "options": list(state.options),
        "rulings": [standing.ruled for standing in state.rulings],
        "escalations": list(state.escalations),
        "may_appeal": list(state.may_appeal()) if state.phase == "appealable" else [],
        "open_until": _time(end if state.phase in ("appealable", "final", "closed") else None),
        "verdict_until": _time(late if state.phase == "person" else None),
        "reminders": state.reminders,
        "outcome": state.outcome,
        "events": len(state.event_ids),
    }


def _levels(state: CaseState, *, plain: bool = False) -> Iterator[tuple[str, str, str, str]]:
    """Each level that was tried: its name, who heard it, their first ballots, and what it came to."""
    shown = printable if plain else escaped
    begun = {one.level: one for one in state.begun}
    for level in sorted({*begun, *(one.level for one in state.escalations)}):
        sitting = begun.get(level)
        heard = next((one for one in state.heard if one.level == level), None)
        votes = [f"{shown(v.voter)} {shown(v.choice or 'none')}" for v in heard.votes] if heard else []
        name = f"{level} ({LEVELS[level - 1].name})"
        yield name, _heard_by(sitting, shown), ", ".join(votes), shown(_came(state, level, sitting), 300)


def _heard_by(sitting: LevelBegun | None, shown: Callable[[str], str]) -> str:
    if sitting is None:
        return "nobody"
    if sitting.rule:
        return f"rule {shown(sitting.rule)}"
    note = f" ({shown(sitting.note)})" if sitting.note else ""
    panel = ", ".join(shown(member.voter) for member in sitting.panel[:_FEW])
    return f"{counted(len(sitting.panel), 'member')}{note}{f': {panel}' if panel else ''}"


def _came(state: CaseState, level: int, sitting: LevelBegun | None) -> str:
    """What a level came to; nothing while it is heard."""
    said = [
        f"{one.ruled.authority} ruled {one.ruled.choice or one.ruled.resolution}"
        for one in state.rulings
        if one.ruled.level == level
    ]
    said += [
        f"{one.cause.replace('_', ' ')}: {one.detail}" for one in state.escalations if one.level == level
    ]
    if said or sitting is None:
        return "; ".join(said)
    answer = state.answer
    if answer is None:
        unheard = "it was not heard to its end" if state.outcome else ""
        return unheard if sitting.panel or sitting.rule else "nobody is left who may sit"
    if not isinstance(answer, LevelFailed) and answer.choice:
        return f"it holds for {answer.choice}"
    cause, detail = cause_of(answer, len(sitting.panel), state.policy.quorum)
    return f"{cause.replace('_', ' ')}: {detail}"


def _end(state: CaseState) -> str:
    outcome = state.outcome
    if outcome is None:
        return _waiting(state)
    if isinstance(outcome, Resolved):
        said = printable(outcome.resolution, 300)
        return f"Resolved at level {outcome.level_used} by {outcome.authority}: {said}."
    if isinstance(outcome, Unresolved):
        return printable(outcome.reason, 600)
    asked = printable(outcome.reason, 300) or "no reason was given"
    return f"Withdrawn, nothing is decided: {outcome.authority} was asked to cancel it ({asked})."


def _waiting(state: CaseState) -> str:
    end, late = state.window_end(), deadline(state)
    match state.phase:
        case "appealable" if end is not None:
            who = ", ".join(printable(party) for party in state.may_appeal()) or "nobody"
            return f"The ruling of level {state.level} is open to appeal until {_time(end)} by {who}."
        case "final" if end is not None:
            return f"The ruling of level {state.level} is open to annulment until {_time(end)}."
        case "person":
            until = f"until {_time(late)}" if late else "without a deadline any more"
            choices = printable(", ".join(state.options), 300)
            return f"It waits for a person's verdict {until}: {choices}."
        case "panel" | "annulment":
            return f"Its panel deliberates in {state.deliberation}."
        case _:
            return f"Level {state.level} is at work."


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds")
