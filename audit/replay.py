"""Decides again what the log records: every count, every outcome, every docket's model."""

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

from audit.applied import Place
from audit.cases import Panels
from audit.decisions import UNENDING, Passed, stream_events
from audit.divergent import Divergent
from audit.docket_check import DocketCheck
from audit.grounds import NO_GROUNDS, Grounds
from audit.replay_learning import replay_charged, replay_learning, replay_unending
from audit.replayed import Replayed
from audit.unending import Unending
from domain.conflict.events import CaseOpened
from domain.conflict.replay import replay as replay_case
from domain.consensus.docket_state import NO_DOCKET, fold_docket
from domain.consensus.events import DocketOpened, Opened
from domain.consensus.replay import replay
from domain.consensus.state import Deliberation
from domain.event import Event
from domain.learning.events import CycleOpened
from domain.refusal import Refusal
from eventlog.reader import LogReader


async def replay_stream(reader: LogReader, stream: str, grounds: Grounds = NO_GROUNDS) -> Replayed:
    """Decide one stream again; `grounds` are what learning rests on.

    Raises:
        Refusal: the log has no such stream.
    """
    found = Replayed()
    events = await stream_events(reader, stream, found.passed)
    match events[0].data:
        case Opened():
            _replay_deliberation(found, events)
        case CaseOpened():
            await _replay_with_panels(found, reader, events)
        case CycleOpened():
            await replay_charged(found, reader, events, grounds)
        case DocketOpened():
            _replay_docket(found, events)
        case _ if stream.startswith(UNENDING):
            unending = Unending(grounds.epsilon)
            unending.take_all(events)
            replay_unending(found, unending)
        case _:
            found.undecided += 1  # kept by a workflow whose history alone says what is right
    found.weights.take(events)
    return found


async def _replay_with_panels(found: Replayed, reader: LogReader, events: Sequence[Event]) -> None:
    """A case, and the deliberations that it rests on."""
    panels = Panels()
    _replay_case(found, events, panels)
    for stream in panels.wanted():
        with suppress(Refusal):  # a panel that is not on the log has no outcome
            panels.decided(stream, replay(await stream_events(reader, stream, found.passed))[0])
    found.divergent += panels.differing()


async def compare_weights(found: Replayed, reader: LogReader) -> None:
    """Compute the weights of all panels again that the replay met, and name the first that is another."""
    await found.weights.settle(reader)
    found.divergent += found.weights.divergent


async def compare_applied(
    found: Replayed, reader: LogReader, ends: dict[Place, int], *, everything: bool
) -> None:
    """Make every ruling in the shared context again from its case, and name those that are another.

    `ends` are `context_ends` from before the replay; `everything`: whether all cases were replayed.
    """
    await found.applied.settle(reader, ends, everything=everything)
    found.divergent += found.applied.divergent


async def replay_all(
    streams: AsyncIterator[list[Event]],
    passed: Passed | None = None,
    grounds: Grounds = NO_GROUNDS,
    unending: Unending | None = None,
) -> Replayed:
    """Decide every settled stream again; hold every docket against its items and its model learned again.

    `passed` and `unending` are what the reading of `streams` is told to fill, `grounds` what learning rests
    on: where no ledger was read, no cycle was charged for its noise.
    """
    found = Replayed(passed=Passed() if passed is None else passed)
    dockets: dict[str, DocketCheck] = {}
    panels = Panels()
    async for events in streams:
        opened = events[0].data
        found.weights.take(events)
        if isinstance(opened, DocketOpened):
            _replay_docket(found, events)
            dockets.setdefault(opened.docket, DocketCheck()).own = events
        if isinstance(opened, CaseOpened):
            _replay_case(found, events, panels)
        if isinstance(opened, CycleOpened):
            await replay_learning(found, events, grounds)
        if not isinstance(opened, Opened):
            continue
        panels.decided(events[0].stream, _replay_deliberation(found, events))
        if opened.docket is not None:
            dockets.setdefault(opened.docket, DocketCheck()).take(events)
    for _, docket in sorted(dockets.items()):
        if docket.whole:  # else some of its items are still being decided
            _compare(found, docket)
    found.divergent += panels.differing()
    replay_unending(found, Unending() if unending is None else unending)
    return found


def _compare(found: Replayed, docket: DocketCheck) -> None:
    differences = [docket.miscounted()]
    if docket.has_model:
        found.models += 1
        differences.append(docket.mislearned())
    for event, problem in filter(None, differences):
        found.divergent.append(Divergent(event.stream, event.id, event.type, problem))


def _replay_case(found: Replayed, events: Sequence[Event], panels: Panels) -> None:
    found.count(events)
    state, divergence = replay_case(events)
    if divergence is None:
        panels.take(events)
        found.applied.take(state)
    else:
        stream = events[0].stream
        found.divergent.append(Divergent(stream, divergence.event_id, divergence.type, divergence.problem))


def _replay_deliberation(found: Replayed, events: Sequence[Event]) -> Deliberation:
    found.count(events)
    state, divergence = replay(events)
    if divergence is not None:
        stream = events[0].stream
        found.divergent.append(Divergent(stream, divergence.event_id, divergence.type, divergence.problem))
    return state


def _replay_docket(found: Replayed, events: Sequence[Event]) -> None:
    found.count(events)
    state = NO_DOCKET
    for event in events:
        try:
            state = fold_docket(state, event)
        except Refusal as refusal:
            found.divergent.append(Divergent(event.stream, event.id, event.type, str(refusal)))
            return
