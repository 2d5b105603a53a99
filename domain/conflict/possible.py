"""What could not have happened: the rules an event must keep to follow from the ones before it."""

from collections.abc import Collection, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import assert_never

from domain.conflict import events as e
from domain.conflict.commands import OpenCase
from domain.conflict.deliberations import is_moved, own_stream
from domain.conflict.levels import ANNULMENT_SEATS, FINAL, LEVELS, RULE_OF_LAYER
from domain.conflict.matter import check_matter
from domain.conflict.persons import deadline, due_reminders
from domain.conflict.settle import settle
from domain.conflict.state import CaseState
from domain.refusal import ImpossibleEvent, Refusal


def check_compelled(state: CaseState, data: e.Compelled, at: datetime) -> None:
    """Whether the record compels `data`. Words and scores are left out: a later release may improve them."""
    if isinstance(data, e.Escalated) and state.phase == "to_begin":
        if data.cause != "too_few_members" or data.level != state.level or not 1 < data.level < FINAL:
            raise ImpossibleEvent("cause", f"level {data.level} did not begin, for {data.cause}")
        return
    expected = settle(state, at)
    if not expected or _essence(expected[0]) != _essence(data):
        raise ImpossibleEvent("type", f"{data.TYPE} does not follow from the events before it")


def _essence(data: e.Compelled) -> e.Compelled:
    match data:
        case e.Ruled():
            return replace(data, reason="")
        case e.Escalated():
            return replace(data, detail="")
        case e.PersonAsked():
            return replace(data, why="")
        case e.Resolved():
            return replace(data, reasons=(), scores=())
        case e.Unresolved():
            return replace(data, causes=(), reason="", scores=())
        case _:
            assert_never(data)


def check_evidence(  # noqa: C901, PLR0912 # a line for each kind of event
    state: CaseState, data: e.Evidential, at: datetime
) -> None:
    """Whether `data` fits the case: nobody out of place, nothing chosen that was not asked, nothing early."""
    match data:
        case e.CaseOpened():
            _check_opening(data)
        case e.CaseGrown():
            _check_growth(state, data)
        case e.LevelBegun():
            _check_level(state, data)
        case e.DeliberationMoved():
            _check_move(state, data)
        case e.RuleApplied() | e.OpinionGiven() | e.VerdictGiven():
            _check_choice(state, data.choice)
        case e.PanelHeard():
            _check_panel_heard(state, data)
        case e.LevelFailed():
            _check_same("level", data.level, state.level)
        case e.Appealed():
            _check_same("level", data.level, state.level)
            _check_in_time(state, data.party, state.may_appeal(), at)
        case e.Reminded():
            _check_reminder(state, data, at)
        case e.DeadlinePassed():
            _check_deadline(state, data, at)
        case e.AnnulmentAsked():
            _check_in_time(state, data.party, state.may_annul(), at)
            _check_seats(state, data.panel, (ANNULMENT_SEATS,))
        case e.AnnulmentDecided():
            asked = state.annulments[-1]
            _check_same("deliberation", data.deliberation, asked.deliberation)
            _check_votes(data.votes, asked.panel)
        case e.Withdrawn():
            _check_same("level", data.level, state.level)
            if settle(state, at):
                raise ImpossibleEvent("type", "what the record compels was not written before")
        case _:
            assert_never(data)


def _check_opening(data: e.CaseOpened) -> None:
    if not 1 <= data.initial_level <= FINAL or (data.case.critical and data.initial_level != FINAL):
        raise ImpossibleEvent("initial_level", f"no such case begins at level {data.initial_level}")
    case = {field.name: getattr(data.case, field.name) for field in fields(data.case)}
    try:
        OpenCase(**case, policy=data.policy)
    except Refusal as refusal:
        raise ImpossibleEvent(refusal.field, "no such case can be opened") from None


def _check_growth(state: CaseState, data: e.CaseGrown) -> None:
    case = state.opened
    ids = [one.id for one in (*case.positions, *data.positions)]
    writes = [one.dot for one in (*case.positions, *data.positions) if one.dot is not None]
    if not data.positions or len(set(ids)) != len(ids) or len(set(writes)) != len(writes):
        raise ImpossibleEvent("positions", "none is new, or one stands there already")
    try:
        check_matter((*case.positions, *data.positions), (*case.evidence, *data.evidence))
    except Refusal as refusal:
        raise ImpossibleEvent(refusal.field, "no case can grow so") from None


def _check_level(state: CaseState, data: e.LevelBegun) -> None:
    _check_same("level", data.level, state.level)
    _check_same("heard", data.heard, len(state.opened.positions))
    _check_same("rule", data.rule, RULE_OF_LAYER[state.opened.layer] if data.level == 1 else None)
    seats = LEVELS[data.level - 1].seats
    _check_seats(state, data.panel, range(seats + 1) if data.level == FINAL else (seats,))
    if (data.deliberation is None) != (not data.panel):
        raise ImpossibleEvent("deliberation", "a panel without one, or one without a panel")
    regions = {member.region for member in data.panel}
    case = state.opened
    if data.level == 2 and regions != {case.regions[0]}:  # noqa: PLR2004 # the regional level
        raise ImpossibleEvent("panel", "a member is not of the home region")
    if data.level == 3 and (len(regions) < 2 or not regions.isdisjoint({*case.all_regions, None})):  # noqa: PLR2004 # the global level, two regions
        raise ImpossibleEvent("panel", "it is not from two regions without a stake")


def _check_move(state: CaseState, data: e.DeliberationMoved) -> None:
    _check_same("was", data.was, state.deliberation)
    if data.was != own_stream(state) or not is_moved(data.was, data.deliberation):
        raise ImpossibleEvent("deliberation", "a panel moves once, to an id made of its own")


def _check_seats(state: CaseState, panel: Sequence[e.Member], sizes: Collection[int]) -> None:
    names = {member.voter for member in panel}
    if len(panel) not in sizes or len(names) != len(panel):
        raise ImpossibleEvent("panel", f"{len(panel)} seats, or a member twice")
    if not names.isdisjoint(state.sat):
        raise ImpossibleEvent("panel", "a member sat in this case before")
    if not names.isdisjoint(state.opened.parties):
        raise ImpossibleEvent("panel", "a member is a party to the case")


def _check_panel_heard(state: CaseState, data: e.PanelHeard) -> None:
    sitting = state.begun[-1]
    _check_same("level", data.level, state.level)
    _check_same("deliberation", data.deliberation, sitting.deliberation)
    _check_choice(state, data.choice)
    _check_votes(data.votes, sitting.panel)
    if not 0 <= data.cast <= len(sitting.panel):
        raise ImpossibleEvent("cast", f"{data.cast} ballots of {len(sitting.panel)} members")


def _check_votes(votes: Sequence[e.Vote], panel: Sequence[e.Member]) -> None:
    voters = [vote.voter for vote in votes]
    if len(set(voters)) != len(voters) or not set(voters) <= {member.voter for member in panel}:
        raise ImpossibleEvent("votes", "a vote by someone who does not sit, or two by one")


def _check_choice(state: CaseState, choice: str | None) -> None:
    if choice is not None and choice not in state.options:
        raise ImpossibleEvent("choice", "the choice is no position that the level heard")


def _check_in_time(state: CaseState, party: str, may: Collection[str], at: datetime) -> None:
    end = state.window_end()
    if party not in may or end is None or at >= end:
        raise ImpossibleEvent("party", "someone who may not, or no longer, attack the ruling")


def _check_reminder(state: CaseState, data: e.Reminded, at: datetime) -> None:
    if not state.reminders < data.number <= due_reminders(state, at):
        raise ImpossibleEvent("number", f"reminder {data.number} was not due")


def _check_deadline(state: CaseState, data: e.DeadlinePassed, at: datetime) -> None:
    _check_same("then", data.then, state.policy.after_deadline)
    end = deadline(state)
    if end is None or at < end:
        raise ImpossibleEvent("type", "the deadline is not over, or was told of")


def _check_same(field: str, said: object, follows: object) -> None:
    if said != follows:
        raise ImpossibleEvent(field, f"{said} is recorded where {follows} follows from the events before it")
