"""A learning cycle as its events tell it. The fold refuses what could not have happened."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, assert_never

from domain.artifact import ArtifactRef
from domain.event import Event
from domain.learning import possible
from domain.learning.events import (
    CycleClosed,
    CycleEvent,
    CycleFailed,
    CycleOpened,
    CycleWithdrawn,
    Loss,
    Report,
    RoundAbandoned,
    RoundAggregated,
    RoundOpened,
    UpdatesCollected,
)
from domain.learning.outcome import RoundFigures
from domain.learning.privacy_level import PrivacyLevel, weakest
from domain.refusal import ImpossibleEvent


@dataclass(frozen=True, slots=True)
class Cycle:
    """Everything a decision about one cycle may look at; `NO_CYCLE` before its first event.

    `round`: the attempt that is open, `reports` and `lost` what it has heard. `abandoned`: the attempt before
    it of the same round. `aggregated`: the last round that became a model, `attempts` which attempt of each
    round it was. `level`: the weakest that held for an update that entered; null before the first.
    `lineage`: SHA-256 over the one before it and what entered, round by round.
    """

    opened: CycleOpened | None = None
    opened_at: datetime | None = None
    round: RoundOpened | None = None
    reports: tuple[Report, ...] = ()
    lost: tuple[Loss, ...] = ()
    abandoned: RoundAbandoned | None = None
    aggregated: RoundAggregated | None = None
    attempts: tuple[int, ...] = ()
    figures: tuple[RoundFigures, ...] = ()
    participants: frozenset[str] = frozenset()
    insights: int = 0
    lineage: str = ""
    level: PrivacyLevel | None = None
    closed: CycleClosed | None = None
    failed: CycleFailed | None = None
    withdrawn: CycleWithdrawn | None = None
    version: int = 0
    last_event: str | None = None

    @property
    def cycle(self) -> CycleOpened:
        """The opening.

        Raises:
            ImpossibleEvent: there is none yet.
        """
        if self.opened is None:
            raise ImpossibleEvent("type", "nothing was opened")
        return self.opened

    @property
    def model(self) -> ArtifactRef:
        """The model that the next, or the open, round trains."""
        return self.cycle.model if self.aggregated is None else self.aggregated.model

    @property
    def told(self) -> frozenset[str]:
        """Clients of the open attempt of which it is known whether their update came in."""
        reported = (report.client for report in self.reports)
        return frozenset((*reported, *(loss.client for loss in self.lost)))

    @property
    def next_round(self) -> int:
        """The round that is open, or would be opened next; one above all where all are done."""
        return len(self.figures) + 1

    @property
    def next_attempt(self) -> int:
        """The attempt that would be opened next."""
        return 1 if self.abandoned is None else self.abandoned.attempt + 1

    @property
    def ended(self) -> bool:
        return not (self.closed is None and self.failed is None and self.withdrawn is None)


NO_CYCLE = Cycle()


def fold(state: Cycle, event: Event) -> Cycle:
    """The state after `event`.

    Raises:
        ImpossibleEvent: the event is none of a cycle, or cannot follow what was folded so far.
    """
    data = event.data
    if not isinstance(data, CycleEvent):
        raise ImpossibleEvent("type", f"{event.type} is no event of a learning cycle")
    if (state.opened is None) != isinstance(data, CycleOpened):
        when = "before" if state.opened is None else "after"
        raise ImpossibleEvent("type", f"{event.type} {when} the opening")
    if event.version != state.version + 1:
        raise ImpossibleEvent(
            "version", f"{event.stream} is at version {state.version}, so {event.version} is not the next"
        )
    if state.ended:
        raise ImpossibleEvent("type", f"{event.type} after the end")
    changes = _changes(state, data, event.time)
    return replace(state, version=event.version, last_event=event.id, **changes)


def fold_all(state: Cycle, events: Iterable[Event]) -> Cycle:
    """The state after `events`.

    Raises:
        ImpossibleEvent: as `fold`.
    """
    for event in events:
        state = fold(state, event)
    return state


def _changes(  # noqa: PLR0911 # a line for each kind of event
    state: Cycle, data: CycleEvent, at: datetime
) -> dict[str, Any]:
    match data:
        case CycleOpened():
            possible.check_opening(data)
            return {"opened": data, "opened_at": at}
        case RoundOpened():
            possible.check_round(state, data)
            return {"round": data, "reports": (), "lost": ()}
        case UpdatesCollected():
            possible.check_collected(state, data)
            return {"reports": (*state.reports, *data.reports), "lost": (*state.lost, *data.lost)}
        case RoundAbandoned():
            possible.check_abandoned(state, data)
            return {"round": None, "reports": (), "lost": (), "abandoned": data}
        case RoundAggregated():
            return _aggregated(state, data)
        case CycleClosed():
            possible.check_closing(state, data)
            return {"closed": data}
        case CycleFailed():
            possible.check_same("round", data.round, state.next_round)
            return {"failed": data, "round": None}
        case CycleWithdrawn():
            possible.check_same("rounds", data.rounds, len(state.figures))
            return {"withdrawn": data, "round": None}
        case _:
            assert_never(data)


def _aggregated(state: Cycle, data: RoundAggregated) -> dict[str, Any]:
    opened = possible.check_aggregated(state, data)
    left_out = set(data.excluded)
    entered = [report for report in state.reports if report.client not in left_out]
    levels = [report.level for report in entered] + ([] if state.level is None else [state.level])
    return {
        "round": None,
        "reports": (),
        "lost": (),
        "abandoned": None,
        "aggregated": data,
        "attempts": (*state.attempts, data.attempt),
        "figures": (*state.figures, figures_of(data, len(opened.cohort))),
        "participants": state.participants | {report.client for report in entered},
        "insights": state.insights + data.clients,
        "lineage": hashlib.sha256(f"{state.lineage}{data.entered}".encode()).hexdigest(),
        "level": weakest(levels),
    }


def figures_of(data: RoundAggregated, cohort: int) -> RoundFigures:
    """A round's line of the result; `cohort`: how many were asked."""
    return RoundFigures(
        round=data.round,
        loss=data.loss,
        accuracy=data.accuracy,
        drift=data.drift,
        cohort=cohort,
        clients=data.clients,
        sent_bytes=data.sent_bytes,
        raw_bytes=data.raw_bytes,
        epsilon=data.privacy.epsilon,
    )
