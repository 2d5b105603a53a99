"""Decides again what the log records: every count, every outcome, every docket's model."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from audit.decisions import stream_events
from audit.dockets import DocketRecord
from domain.consensus import calibrated, dawid_skene
from domain.consensus.crowd import Crowd
from domain.consensus.docket_state import NO_DOCKET, fold_docket
from domain.consensus.events import Decided, DocketOpened, Opened
from domain.consensus.replay import replay
from domain.event import Event
from domain.refusal import Refusal
from domain.strict_json import printable
from eventlog.reader import LogReader

_TOLERANCE = 1e-6
MODELS = {"posterior": dawid_skene.estimate, "calibrated": calibrated.estimate}


@dataclass(frozen=True, slots=True)
class Divergent:
    """The first event of a stream that does not follow from those before it."""

    stream: str
    event_id: str
    type: str
    problem: str

    def __str__(self) -> str:
        return printable(f"{self.stream}: event {self.event_id} ({self.type}): {self.problem}", 500)


@dataclass(slots=True)
class Replayed:
    """How much was decided again, and what came out otherwise."""

    decisions: int = 0
    dockets: int = 0
    models: int = 0
    divergent: list[Divergent] = field(default_factory=list)


async def replay_stream(reader: LogReader, stream: str) -> Replayed:
    """Decide one stream again.

    Raises:
        Refusal: the log has no such stream.
    """
    found, events = Replayed(), await stream_events(reader, stream)
    if isinstance(events[0].data, Opened):
        _replay_deliberation(found, events)
    else:
        _replay_docket(found, events)
    return found


async def replay_all(streams: AsyncIterator[list[Event]]) -> Replayed:
    """Decide every settled stream again, and learn every docket's model again from its recorded labels."""
    found = Replayed()
    records: dict[str, DocketRecord] = {}
    closed: dict[str, int] = {}
    async for events in streams:
        opened = events[0].data
        if isinstance(opened, DocketOpened):
            _replay_docket(found, events)
            closed[opened.docket] = opened.items
        if not isinstance(opened, Opened):
            continue
        _replay_deliberation(found, events)
        if opened.docket is not None and opened.policy.weighting in MODELS:
            records.setdefault(opened.docket, DocketRecord()).take(events)
    for docket, record in sorted(records.items()):
        if closed.get(docket) == len(record.items):  # else some of its items are still being decided
            _relearn(found, docket, record)
    return found


def _replay_deliberation(found: Replayed, events: Sequence[Event]) -> None:
    found.decisions += 1
    _, divergence = replay(events)
    if divergence is not None:
        stream = events[0].stream
        found.divergent.append(Divergent(stream, divergence.event_id, divergence.type, divergence.problem))


def _replay_docket(found: Replayed, events: Sequence[Event]) -> None:
    found.dockets += 1
    state = NO_DOCKET
    for event in events:
        try:
            state = fold_docket(state, event)
        except Refusal as refusal:
            found.divergent.append(Divergent(event.stream, event.id, event.type, str(refusal)))
            return


def _relearn(found: Replayed, docket: str, record: DocketRecord) -> None:
    """Every item's posterior must be what the model says of the labels on the log."""
    table = record.table()
    if table is None:
        return
    found.models += 1
    model = MODELS[record.weighting](Crowd.of(table))
    for row, item in enumerate(record.in_order()):
        posterior = dict(zip(table.choices, model.posterior[row].tolist(), strict=True))
        worst = _largest_difference(posterior, item.posterior)
        if worst > _TOLERANCE:
            problem = f"posterior: differs by {worst:.6f} from what the labels on the log give"
            found.divergent.append(
                Divergent(f"consensus/{docket}.{item.index}", item.event_id, Decided.TYPE, problem)
            )
            return


def _largest_difference(computed: Mapping[str, float], recorded: Mapping[str, float]) -> float:
    names = [*computed, *(name for name in recorded if name not in computed)]
    return float(np.max([abs(computed.get(name, 0.0) - recorded.get(name, 0.0)) for name in names]))
