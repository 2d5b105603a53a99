"""Learning cycles held against what they rest on: the cohorts, the updates and the rule that made a model."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from audit.divergent import Divergent
from audit.learning_aggregate import Recomputed, recompute
from audit.learning_artifacts import Artifacts
from audit.learning_cohort import Cohorts
from audit.learning_figures import check_figures
from domain.event import Event
from domain.learning.events import CycleOpened, RoundAggregated, RoundOpened
from domain.learning.state import NO_CYCLE, Cycle, fold
from domain.refusal import Refusal
from domain.stream import learning_stream
from domain.strict_json import printable


@dataclass(frozen=True, slots=True)
class Unproven:
    """A round whose model cannot be made again from what is stored, and why; what was checked instead."""

    stream: str
    round: int
    why: str


@dataclass(slots=True)
class Learned:
    """What replaying cycles came to.

    `cohorts`: drawn again. `models`: made again, by their digest the same. `unproven`: rounds whose model
    could not be, with what was checked instead.
    """

    cohorts: int = 0
    models: int = 0
    unproven: list[Unproven] = field(default_factory=list)
    divergent: list[Divergent] = field(default_factory=list)


async def replay_cycle(found: Learned, events: Sequence[Event], artifacts: Artifacts) -> None:
    """Take one cycle again, event by event; every round that is not as recorded is named.

    An event that those before it do not allow ends it: nothing after it could be told.
    """
    state, cohorts = NO_CYCLE, Cohorts(artifacts)
    for event in events:
        before = state
        try:
            state = fold(state, event)
        except Refusal as refusal:
            found.divergent.append(_divergent(event, str(refusal)))
            return
        try:
            if isinstance(event.data, RoundOpened):
                await cohorts.check(state.cycle, event.data)
                found.cohorts += 1
            elif isinstance(event.data, RoundAggregated):
                _count(found, event, await recompute(artifacts, before, event.data), before)
                await check_figures(artifacts, before, event.data)
            elif isinstance(event.data, CycleOpened):
                _check_name(event.stream, event.data)
        except Refusal as refusal:
            found.divergent.append(_divergent(event, str(refusal)))


def _check_name(stream: str, data: CycleOpened) -> None:
    if stream != learning_stream(data.request.id):
        raise Refusal("id", f"{printable(data.request.id, 60)} was opened in the stream {stream}")


def _count(found: Learned, event: Event, made: Recomputed, before: Cycle) -> None:
    if made.unproven:
        found.unproven.append(Unproven(event.stream, before.next_round, made.unproven))
    else:
        found.models += 1


def _divergent(event: Event, problem: str) -> Divergent:
    return Divergent(event.stream, event.id, event.type, problem)
