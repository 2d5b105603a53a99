"""What a replay came to: how much was decided again, and what came out otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from audit.applied import AppliedRulings
from audit.decisions import Passed
from audit.divergent import Divergent
from audit.learning import Learned
from audit.unending import Unending
from audit.weights import Weights
from domain.conflict.events import Resolved, Unresolved
from domain.conflict.events import Withdrawn as CaseWithdrawn
from domain.consensus.events import Decided, DocketClosed, DocketWithdrawn, Withdrawn
from domain.event import Event
from domain.learning.events import CycleClosed, CycleFailed, CycleWithdrawn


@dataclass(slots=True)
class Replayed:
    """How much was decided again, and what came out otherwise.

    `undecided` streams have no outcome so far; `withdrawn` ones ended without any. `passed`: records that
    were left out, and streams that stop before their end. `weights`: of the panels, see `compare_weights`.
    `applied`: rulings in the shared context, see `compare_applied`. `cycles`: of learning; `learned`: what
    came of their rounds. `unending`: privacy ledgers and models' versions.
    """

    decisions: int = 0
    undecided: int = 0
    withdrawn: int = 0
    dockets: int = 0
    models: int = 0
    cases: int = 0
    cycles: int = 0
    divergent: list[Divergent] = field(default_factory=list)
    passed: Passed = field(default_factory=Passed)
    weights: Weights = field(default_factory=Weights)
    applied: AppliedRulings = field(default_factory=AppliedRulings)
    learned: Learned = field(default_factory=Learned)
    unending: Unending = field(default_factory=Unending)

    def count(self, events: Sequence[Event]) -> None:
        """Count a stream by how it ended, so far."""
        match events[-1].data:
            case Decided():
                self.decisions += 1
            case DocketClosed():
                self.dockets += 1
            case Resolved() | Unresolved():
                self.cases += 1
            case CycleClosed() | CycleFailed():
                self.cycles += 1
            case Withdrawn() | DocketWithdrawn() | CaseWithdrawn() | CycleWithdrawn():
                self.withdrawn += 1
            case _:
                self.undecided += 1
