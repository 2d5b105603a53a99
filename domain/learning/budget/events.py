"""What can happen in a privacy ledger. Stored names: change none without an upcaster."""

from dataclasses import dataclass
from typing import ClassVar

from domain.learning.mechanism import Mechanism


@dataclass(frozen=True, slots=True)
class BudgetOpened:
    """A ledger began.

    `ledger`: its name, the second half of its stream's. `budget`: the epsilon at `delta` that none of its
    subjects may ever pass.
    """

    TYPE: ClassVar[str] = "learning.budget_opened.v1"
    ledger: str
    budget: float
    delta: float


@dataclass(frozen=True, slots=True)
class Spent:
    """Subjects that have spent alike so far.

    `subjects`: whose data it is, sorted. `times`: how many clients each has in the release. `before`,
    `after`: the epsilon that each had spent without this release, and has spent with it.
    """

    subjects: tuple[str, ...]
    times: int
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class BudgetCharged:
    """A release may be made: subjects were charged for it, before any noise was drawn.

    `id`: of the charge, the same for each of its parts. `digest`: SHA-256, in hex, of the whole charge.
    `mechanism`: what one client in it costs. `spent`: who was charged. `part` of `parts`: a
    charge of many subjects is told in several events, and was granted as one.
    """

    TYPE: ClassVar[str] = "learning.budget_charged.v1"
    id: str
    digest: str
    mechanism: Mechanism
    spent: tuple[Spent, ...]
    part: int = 1
    parts: int = 1


@dataclass(frozen=True, slots=True)
class Overspent:
    """A subject whose budget forbade the release.

    `subject`: whose data it is. `epsilon`: what it would have come to.
    """

    subject: str
    epsilon: float


@dataclass(frozen=True, slots=True)
class BudgetRefused:
    """A release may not be made; nobody was charged.

    `id`: of the charge. `digest`: SHA-256, in hex, of the whole charge. `mechanism`: what one client in it
    would have cost. `asked`: for how many subjects. `refusals`: how many of them would have passed the
    budget. `refused`: the first 20 of those, by name. `epsilon`: the largest that any of those asked for has
    spent.
    """

    TYPE: ClassVar[str] = "learning.budget_refused.v1"
    id: str
    digest: str
    mechanism: Mechanism
    asked: int
    refusals: int
    refused: tuple[Overspent, ...]
    epsilon: float


BudgetEvent = BudgetOpened | BudgetCharged | BudgetRefused
EVENTS: tuple[type[BudgetEvent], ...] = (BudgetOpened, BudgetCharged, BudgetRefused)
