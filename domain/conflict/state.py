"""A case as its events tell it, and what may be read off it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, assert_never, get_args

from domain.conflict.case import Case
from domain.conflict.events import (
    AnnulmentAsked,
    AnnulmentDecided,
    Appealed,
    Escalated,
    LevelBegun,
    LevelFailed,
    OpinionGiven,
    PanelHeard,
    Resolved,
    RuleApplied,
    Ruled,
    Unresolved,
    VerdictGiven,
    Withdrawn,
)
from domain.conflict.levels import FINAL
from domain.conflict.policy import ConflictPolicy
from domain.refusal import Refusal

Phase = Literal[
    "none",
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
    "closed",
]
"""What a case waits for. In `counted`, `appealed`, `answered`, `overdue`, `annulled` it waits for nobody."""


ENDS = ("resolved", "unresolved", "withdrawn")
STATUSES = (*(phase for phase in get_args(Phase) if phase not in ("none", "closed")), *ENDS)
"""Of a case that was opened."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A ruling and when it was made."""

    ruled: Ruled
    at: datetime


@dataclass(frozen=True, slots=True)
class CaseState:
    """Everything a decision about one case may look at; `NO_CASE` before its first event.

    `level` is the one that hears or ruled, or the next to begin. `answer` is what the level came to.
    """

    phase: Phase = "none"
    case: Case | None = None
    policy: ConflictPolicy = field(default_factory=ConflictPolicy)
    opened_at: datetime | None = None
    initial_level: int = 0
    level: int = 0
    begun: tuple[LevelBegun, ...] = ()
    answer: RuleApplied | PanelHeard | LevelFailed | None = None
    heard: tuple[PanelHeard, ...] = ()
    opinion: OpinionGiven | None = None
    rulings: tuple[Standing, ...] = ()
    appeals: tuple[Appealed, ...] = ()
    escalations: tuple[Escalated, ...] = ()
    asked_at: datetime | None = None
    reminders: int = 0
    deadline_passed: bool = False
    verdict: VerdictGiven | None = None
    annulments: tuple[AnnulmentAsked, ...] = ()
    annulled: AnnulmentDecided | None = None
    outcome: Resolved | Unresolved | Withdrawn | None = None
    closed_at: datetime | None = None
    event_ids: tuple[str, ...] = ()

    @property
    def opened(self) -> Case:
        """The case.

        Raises:
            Refusal: none was opened.
        """
        if self.case is None:
            raise Refusal("case", "it was not opened yet")
        return self.case

    @property
    def status(self) -> str:
        """What the case waits for, in one word; `resolved`, `unresolved` or `withdrawn` at its end."""
        match self.outcome:
            case None:
                return self.phase
            case Resolved():
                return "resolved"
            case Unresolved():
                return "unresolved"
            case Withdrawn():
                return "withdrawn"
            case _:
                assert_never(self.outcome)

    @property
    def deliberation(self) -> str | None:
        """The stream in which a panel decides now."""
        match self.phase:
            case "panel":
                return self.begun[-1].deliberation
            case "annulment":
                return self.annulments[-1].deliberation
            case _:
                return None

    @property
    def sitting(self) -> LevelBegun | None:
        """The level that began last."""
        return self.begun[-1] if self.begun else None

    @property
    def last_ruling(self) -> Standing | None:
        return self.rulings[-1] if self.rulings else None

    @property
    def options(self) -> tuple[str, ...]:
        """What may be chosen now: the positions that the last begun level heard."""
        return self.opened.options(self.sitting.heard) if self.sitting else ()

    @property
    def sat(self) -> frozenset[str]:
        """Everyone who has had a seat in this case."""
        panels = (*(one.panel for one in self.begun), *(one.panel for one in self.annulments))
        return frozenset(member.voter for panel in panels for member in panel)

    def window_end(self) -> datetime | None:
        """When the ruling that stands can be attacked no more; at once where nobody is left who may."""
        standing = self.last_ruling
        if standing is None:
            return None
        attackers = self.may_annul() if standing.ruled.level == FINAL else self.may_appeal()
        seconds = window_seconds(self.policy, standing.ruled.level) if attackers else 0.0
        return standing.at + timedelta(seconds=seconds)

    def may_appeal(self) -> tuple[str, ...]:
        """The parties with an appeal left who never sat in the case."""
        used = [one.party for one in self.appeals]
        left = self.policy.appeals_each
        return tuple(
            party for party in self.opened.parties if party not in self.sat and used.count(party) < left
        )

    def may_annul(self) -> tuple[str, ...]:
        """The parties that have not asked for annulment and never sat in the case."""
        asked = {one.party for one in self.annulments}
        return tuple(party for party in self.opened.parties if party not in self.sat | asked)


NO_CASE = CaseState()


def window_seconds(policy: ConflictPolicy, level: int) -> float:
    """How long a ruling of this level is open to appeal, at level 4 to annulment."""
    windows = (
        policy.local_appeal_seconds,
        policy.regional_appeal_seconds,
        policy.global_appeal_seconds,
        policy.annulment_seconds,
    )
    return windows[level - 1]
