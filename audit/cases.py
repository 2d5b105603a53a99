"""Cases held against the deliberations of their panels."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from audit.divergent import Divergent
from domain.conflict.events import AnnulmentDecided, PanelHeard
from domain.conflict.replay import hearings, misheard
from domain.conflict.state import CaseState
from domain.consensus.outcome import ConsensusOutcome, outcome_of
from domain.consensus.state import Deliberation
from domain.event import Event


@dataclass(slots=True)
class Panels:
    """What panels decided on their own streams, and what their cases recorded of it, in whatever order."""

    _outcomes: dict[str, ConsensusOutcome] = field(default_factory=dict)
    _heard: list[tuple[Event, CaseState]] = field(default_factory=list)

    def wanted(self) -> list[str]:
        """The streams of the deliberations that cases rest on."""
        return list(dict.fromkeys(_deliberation(event) for event, _ in self._rest()))

    def decided(self, stream: str, state: Deliberation) -> None:
        """Take a deliberation that a case held, if it is one and has its outcome."""
        if state.case is not None and state.decided is not None:
            self._outcomes[stream] = outcome_of(state)

    def take(self, events: Sequence[Event]) -> None:
        """Take a case that folds."""
        self._heard += hearings(events)

    def differing(self) -> list[Divergent]:
        """What a case recorded otherwise than its panel's stream tells it, or of a panel that has none."""
        found = []
        for event, before in self._rest():
            outcome = self._outcomes.get(_deliberation(event))
            if outcome is None:
                problem = f"{_deliberation(event)} has no outcome on the log"
            elif (divergence := misheard(event, before, outcome)) is not None:
                problem = divergence.problem
            else:
                continue
            found.append(Divergent(event.stream, event.id, event.type, problem))
        return found

    def _rest(self) -> list[tuple[Event, CaseState]]:
        return [(event, before) for event, before in self._heard if _rests(event)]


def _rests(event: Event) -> bool:
    """An annulment that could not be heard rests on no deliberation."""
    return not isinstance(event.data, AnnulmentDecided) or event.data.event_id is not None


def _deliberation(event: Event) -> str:
    data = event.data
    return data.deliberation if isinstance(data, PanelHeard | AnnulmentDecided) else ""
