"""What an event of a conflict case says, in one line for people."""

from typing import assert_never

from domain.conflict import events as e
from domain.counting import counted


def said_of_case(data: e.ConflictEvent) -> str:
    """One line; it quotes what people wrote, so whoever prints it escapes it."""
    if isinstance(data, e.Ruled | e.Escalated | e.PersonAsked | e.Resolved | e.Unresolved):
        return _compelled(data)
    return _evidence(data)


def _compelled(data: e.Compelled) -> str:
    match data:
        case e.Ruled():
            choice = f"{data.choice}: " if data.choice is not None else ""
            return f"level {data.level} rules by {data.authority}: {choice}{data.resolution} ({data.reason})"
        case e.Escalated():
            return f"level {data.level} did not settle it, {data.cause.replace('_', ' ')}: {data.detail}"
        case e.PersonAsked():
            return f"it waits for a person: {data.why}"
        case e.Resolved():
            final = ", finally" if data.final_authority else ""
            return (
                f"resolved at level {data.level_used} by {data.authority}{final} after"
                f" {counted(data.escalations, 'escalation')}: {data.resolution}"
            )
        case e.Unresolved():
            return data.reason
        case _:
            assert_never(data)


def _evidence(data: e.Evidential) -> str:  # noqa: C901, PLR0911, PLR0912 # a line for each kind of event
    match data:
        case e.CaseOpened():
            positions = "; ".join(f"{p.id} ({p.party}): {p.claim}" for p in data.case.positions)
            return f"{data.case.question} {positions}; begins at level {data.initial_level}: {data.why}"
        case e.CaseGrown():
            return "further: " + "; ".join(f"{p.id} ({p.party}): {p.claim}" for p in data.positions)
        case e.LevelBegun():
            by = f"rule {data.rule}" if data.rule else ", ".join(seat.voter for seat in data.panel)
            note = f" ({data.note})" if data.note else ""
            heard = counted(data.heard, "position")
            return f"level {data.level} hears {heard} before {by or 'nobody'}{note}"
        case e.DeliberationMoved():
            return f"{data.was} was taken by somebody else: the panel decides in {data.deliberation}"
        case e.RuleApplied():
            came = data.resolution or data.choice or "nothing"
            return f"{data.rule} comes to {came}: {data.reason}"
        case e.PanelHeard():
            votes = ", ".join(f"{vote.voter} {vote.choice or 'none'}" for vote in data.votes)
            return f"{data.deliberation} comes to {data.choice or 'no choice'} ({votes}): {data.reason}"
        case e.LevelFailed():
            return f"level {data.level} could not be carried out: {data.reason}"
        case e.OpinionGiven():
            return f"{data.mediator} finds for {data.choice or 'nobody'}: {data.rationale}"
        case e.Appealed():
            return f"{data.party} appeals against the ruling of level {data.level}: {data.grounds}"
        case e.Reminded():
            return f"the person is reminded, {counted(data.number, 'reminder')} fell due so far"
        case e.DeadlinePassed():
            return f"no person ruled in time; then: {data.then}"
        case e.VerdictGiven():
            return f"{data.person} gives the verdict {data.choice}: {data.reason}"
        case e.AnnulmentAsked():
            panel = ", ".join(seat.voter for seat in data.panel)
            return f"{data.party} asks for annulment for {data.ground}, before {panel}: {data.statement}"
        case e.AnnulmentDecided():
            return f"{'annulled' if data.annulled else 'not annulled'}: {data.reason}"
        case e.Withdrawn():
            return f"withdrawn on level {data.level}, nothing is decided: {data.reason or 'no reason given'}"
        case _:
            assert_never(data)
