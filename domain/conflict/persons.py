"""Critical cases wait for a person: a verdict, reminders, a deadline and what was said to follow it."""

from datetime import datetime, timedelta

from domain.conflict.commands import GiveVerdict
from domain.conflict.events import DeadlinePassed, Reminded, VerdictGiven
from domain.conflict.state import CaseState
from domain.refusal import Refusal
from domain.strict_json import printable


class NoVerdictAwaited(Refusal):
    """The case does not wait for a person: its levels still hear it, or it is over."""


class NotImpartial(Refusal):
    """Whoever is a party to the case, or sat in it, cannot have its last word."""


def give_verdict(state: CaseState, command: GiveVerdict) -> list[VerdictGiven]:
    """A person's decision among the positions that level 4 heard; nothing for the one that was given.

    Raises:
        NoVerdictAwaited, NotImpartial: the verdict cannot be taken.
        Refusal: it names no position that was heard.
    """
    given = VerdictGiven(command.person, command.verdict, command.reason)
    if given == state.verdict:
        return []
    if state.phase != "person":
        raise NoVerdictAwaited("verdict", "no person is asked now; `moot conflict show` tells who is")
    if command.person in (*state.opened.parties, *state.sat):
        raise NotImpartial("person", f"{printable(command.person, 60)} is a party to the case or sat in it")
    if command.verdict not in state.options:
        raise Refusal(
            "verdict",
            f"'{printable(command.verdict, 40)}' is no position of the case; choose {_few(state.options)}",
        )
    return [given]


def wake(state: CaseState, at: datetime) -> list[Reminded | DeadlinePassed]:
    """What time alone brings to a case that waits for a person: one reminder for all due, then the end."""
    if state.phase != "person":
        return []
    woken: list[Reminded | DeadlinePassed] = []
    due = due_reminders(state, at)
    if due > state.reminders:
        woken.append(Reminded(due))
    end = deadline(state)
    if end is not None and at >= end:
        woken.append(DeadlinePassed(state.policy.after_deadline))
    return woken


def next_wake(state: CaseState) -> datetime | None:
    """When `wake` has something to say next; None for a case that waits for no person."""
    if state.phase != "person" or state.asked_at is None:
        return None
    reminder = state.asked_at + _after(state, state.reminders)
    end = deadline(state)
    return reminder if end is None else min(reminder, end)


def deadline(state: CaseState) -> datetime | None:
    """When the wait for a person is over; None before one was asked, and once it is over."""
    if state.asked_at is None or state.deadline_passed:
        return None
    return state.asked_at + timedelta(seconds=state.policy.person_seconds)


def due_reminders(state: CaseState, at: datetime) -> int:
    """How many reminders have fallen due by `at`: waits double, so that weeks of them stay few."""
    if state.asked_at is None:
        return 0
    due = 0
    while state.asked_at + _after(state, due) <= at:
        due += 1
    return due


def _after(state: CaseState, reminders: int) -> timedelta:
    return timedelta(seconds=state.policy.reminder_seconds * 2**reminders)


def _few(options: tuple[str, ...]) -> str:
    return ", ".join(options[:5]) + (", …" if len(options) > 5 else "")  # noqa: PLR2004 # one line
