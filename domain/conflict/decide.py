"""What happens next in a case: state in, one step out, so that whoever carries it out decides nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from domain.conflict.persons import next_wake
from domain.conflict.state import CaseState


@dataclass(frozen=True, slots=True)
class BeginLevel:
    """Draw the panel of `level`, if it has one: `hearing.begin_level`."""

    level: int


@dataclass(frozen=True, slots=True)
class ApplyRule:
    """Let the node that owns the entry apply `rule`: `hearing.record_rule`, `record_failure`."""

    rule: str


@dataclass(frozen=True, slots=True)
class HoldDeliberation:
    """Let the panel decide in the stream `deliberation`: `deliberations.level_question`, `record_panel`."""

    level: int
    deliberation: str


@dataclass(frozen=True, slots=True)
class AskMediator:
    """Put the mediator's opinion on the record: `hearing.record_opinion`."""


@dataclass(frozen=True, slots=True)
class Settle:
    """Write what the record compels: `settle.settle`."""


@dataclass(frozen=True, slots=True)
class AwaitAppeal:
    """Take appeals until `until`, then settle: `appeals.appeal`."""

    until: datetime


@dataclass(frozen=True, slots=True)
class AwaitPerson:
    """Take a verdict; at `wake` ask what time has brought: `persons.give_verdict`, `persons.wake`."""

    wake: datetime


@dataclass(frozen=True, slots=True)
class AwaitAnnulment:
    """Let annulment be asked until `until`, then settle: `annulment.ask_annulment`."""

    until: datetime


@dataclass(frozen=True, slots=True)
class HearAnnulment:
    """Let the three decide: `deliberations.annulment_question`, `annulment.record_annulment`."""

    deliberation: str


@dataclass(frozen=True, slots=True)
class Closed:
    """Nothing; and, for `NO_CASE`, nothing yet."""


Step = (
    BeginLevel
    | ApplyRule
    | HoldDeliberation
    | AskMediator
    | Settle
    | AwaitAppeal
    | AwaitPerson
    | AwaitAnnulment
    | HearAnnulment
    | Closed
)


def next_step(state: CaseState) -> Step:  # noqa: C901, PLR0911 # one line for each phase
    """What a case needs now."""
    sitting, end, wake = state.sitting, state.window_end(), next_wake(state)
    match state.phase:
        case "none" | "closed":
            return Closed()
        case "to_begin":
            return BeginLevel(state.level)
        case "rule" if sitting is not None and sitting.rule is not None:
            return ApplyRule(sitting.rule)
        case "panel" if sitting is not None and sitting.deliberation is not None:
            return HoldDeliberation(state.level, sitting.deliberation)
        case "mediator":
            return AskMediator()
        case "counted" | "appealed" | "answered" | "overdue" | "annulled":
            return Settle()
        case "appealable" if end is not None:
            return AwaitAppeal(end)
        case "person" if wake is not None:
            return AwaitPerson(wake)
        case "final" if end is not None:
            return AwaitAnnulment(end)
        case "annulment":
            return HearAnnulment(state.annulments[-1].deliberation)
        case "rule" | "panel" | "appealable" | "person" | "final":
            raise AssertionError(f"no event leads to {state.phase} without what it waits for")
        case _:
            assert_never(state.phase)
