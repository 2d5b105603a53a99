"""Learning cycles held against what they rest on: the cohorts, the updates and the rule that made a model."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from audit.divergent import Divergent
from audit.grounds import Grounds
from audit.learning_aggregate import Recomputed, recompute
from audit.learning_charges import Release, Spending
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
    could not be, with what was checked instead. `releases`: attempts that ledgers must have been charged for,
    which is for whoever reads those to look at.
    """

    cohorts: int = 0
    models: int = 0
    unproven: list[Unproven] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)
    divergent: list[Divergent] = field(default_factory=list)


async def replay_cycle(found: Learned, events: Sequence[Event], grounds: Grounds) -> None:
    """Take one cycle again, event by event; every round that is not as recorded is named.

    An event that those before it do not allow ends it: nothing after it could be told.
    """
    state, rounds = NO_CYCLE, _Rounds(found, grounds)
    for event in events:
        before = state
        try:
            state = fold(state, event)
        except Refusal as refusal:
            found.divergent.append(_divergent(event, str(refusal)))
            return
        try:
            await rounds.check(before, state, event)
        except Refusal as refusal:
            found.divergent.append(_divergent(event, str(refusal)))


class _Rounds:
    """The rounds of one cycle; what of an earlier one is needed for a later one is kept."""

    def __init__(self, found: Learned, grounds: Grounds) -> None:
        self._found, self._grounds = found, grounds
        self._cohorts, self._spending = Cohorts(grounds.artifacts), Spending()
        self._announced = ""  # the roster that was held against the hosts' announcements last

    async def check(self, before: Cycle, state: Cycle, event: Event) -> None:
        match event.data:
            case CycleOpened() as data:
                _check_name(event.stream, data)
            case RoundOpened() as data:
                await self._opened(state.cycle, event, data)
            case RoundAggregated() as data:
                await self._aggregated(before, event, data)

    async def _opened(self, opening: CycleOpened, event: Event, data: RoundOpened) -> None:
        self._spending.begin()
        able = await self._cohorts.check(opening, data)
        self._found.cohorts += 1
        release = self._spending.opened(event, opening.request, data, able)
        if release is not None:
            self._found.releases.append(release)
        if data.roster.sha256 != self._announced:
            await self._grounds.announced.check(await self._cohorts.roster(data), event.time)
            self._announced = data.roster.sha256

    async def _aggregated(self, before: Cycle, event: Event, data: RoundAggregated) -> None:
        artifacts, request = self._grounds.artifacts, before.cycle.request
        self._spending.aggregated(request, data)
        made = await recompute(artifacts, before, data)
        _count(self._found, event, made, before)
        await check_figures(artifacts, before, data)
        self._spending.check(request, data, self._grounds.epsilon)


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
