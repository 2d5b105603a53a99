"""Writes of the shared context that say they are a case's ruling, held against what the case came to."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, fields

from audit.divergent import Divergent
from domain.causality.causal_context import Dot
from domain.conflict.applied import Application, is_due, ruling
from domain.conflict.case import Case
from domain.conflict.events import Resolved
from domain.conflict.state import CaseState
from domain.context.canonical import same
from domain.context.events import Written, fingerprint, stream_of
from domain.context.possible import check_write
from domain.context.recording import wall_of
from domain.event import Event
from domain.refusal import Refusal
from domain.stream import conflict_stream
from eventlog.partitioning import partition_of
from eventlog.reader import LogReader
from eventlog.record import RawRecord
from eventlog.topics import family_of
from projections.batch import decoded

Place = tuple[str, int]
_NODE = "case."
_NAMES = [one.name for one in fields(Written)]


@dataclass(slots=True)
class AppliedRulings:
    """The cases that were decided again, and how the context tells of them.

    `compared`: writes in any region that say they are a ruling. `missing`: resolved cases about an entry of
    which the log of their home region has no ruling: it is under way, or was refused.
    """

    compared: int = 0
    missing: list[str] = field(default_factory=list)
    divergent: list[Divergent] = field(default_factory=list)
    _cases: dict[str, CaseState] = field(default_factory=dict)
    _covered: dict[tuple[str, Dot], Written] = field(default_factory=dict)

    def take(self, state: CaseState) -> None:
        """Take a case that folds, whether it is resolved or not."""
        if state.case is not None:
            self._cases[state.case.id] = state

    async def settle(self, reader: LogReader, ends: dict[Place, int], *, everything: bool) -> None:
        """Read the context up to `ends`, which must be from before the cases were read.

        Without `everything` only the keys of the cases that were taken are read, and no other case's rulings
        are looked at.
        """
        wanted = {
            (stream_of(case.regions[0], case.context.layer, case.context.key), dot)
            for case, resolved in self._due()
            if case.context is not None
            for dot in resolved.covers
        }
        told: dict[tuple[str, str], tuple[Event, Written]] = {}
        for place in ends if everything else await self._places(reader, ends):
            partitions, (start, _) = await reader.partitions(place[0]), await reader.beginning_and_end(*place)
            async with aclosing(reader.batches(*place, start, ends[place])) as batches:
                async for batch in batches:
                    for event, write in _writes(batch):
                        covered, tells = (event.stream, write.dot) in wanted, _tells(write)
                        if not (covered or tells) or _strayed(event, place, len(partitions)):
                            continue
                        if covered:  # a fork of it comes later, and counts not
                            self._covered.setdefault((event.stream, write.dot), write)
                        if tells and (everything or write.case in self._cases):
                            told.setdefault((event.stream, fingerprint(write)), (event, write))
        self._compare(told.values())

    def _compare(self, told: Collection[tuple[Event, Written]]) -> None:
        applied = set()
        for event, write in told:
            problem = self._problem(write)
            if problem is not None:
                self.divergent.append(Divergent(event.stream, event.id, event.type, problem))
            elif event.stream == stream_of(write.region, write.layer, write.key):
                applied.add(write.case)
        self.compared = len(told)
        self.missing = [conflict_stream(case.id) for case, _ in self._due() if case.id not in applied]

    def _problem(self, write: Written) -> str | None:
        """Why this write is not the ruling that it says it is."""
        if write.case is None:
            return f"{write.node} is the name of a ruling, and it names no case"
        stream, state = conflict_stream(write.case), self._cases.get(write.case)
        if state is None or not isinstance(state.outcome, Resolved) or state.closed_at is None:
            return f"it says that it is a ruling, and {stream} is not resolved on the log"
        case, resolved = state.opened, state.outcome
        if not is_due(case, resolved):
            return f"it says that it is a ruling, and {stream} covers no write"
        try:
            follows = ruling(Application(case, resolved, state.closed_at), self._siblings(case, resolved))
        except Refusal as refusal:
            return f"it says that it is a ruling, and {stream} has none to apply: {refusal}"
        differing = [name for name in _NAMES if not _alike(name, write, follows)]
        return f"{', '.join(differing)}: another follows from {stream}" if differing else None

    def _siblings(self, case: Case, resolved: Resolved) -> list[Written]:
        if case.context is None:
            return []
        stream = stream_of(case.regions[0], case.context.layer, case.context.key)
        found = (self._covered.get((stream, dot)) for dot in resolved.covers)
        return [write for write in found if write is not None]

    def _due(self) -> Iterator[tuple[Case, Resolved]]:
        for state in self._cases.values():
            if isinstance(state.outcome, Resolved) and is_due(state.opened, state.outcome):
                yield state.opened, state.outcome

    async def _places(self, reader: LogReader, ends: dict[Place, int]) -> list[Place]:
        keys = [state.opened.context for state in self._cases.values()]
        found: dict[Place, None] = {}
        for topic in dict.fromkeys(topic for topic, _ in ends):
            partitions = len(await reader.partitions(topic))
            for key in filter(None, keys):
                stream = stream_of(topic.partition(".")[2], key.layer, key.key)
                found[topic, partition_of(stream.encode(), partitions)] = None
        return [place for place in found if place in ends]


async def context_ends(reader: LogReader) -> dict[Place, int]:
    """How far each region's log goes now: what was written by then follows from cases resolved before."""
    places = [place for place in await reader.sealed() if family_of(place[0]) == "context"]
    return {place: (await reader.beginning_and_end(*place))[1] for place in places}


def _strayed(event: Event, place: Place, partitions: int) -> bool:
    return partition_of(event.stream.encode(), partitions) != place[1]


def _tells(write: Written) -> bool:
    return write.case is not None or write.node.startswith(_NODE)


def _writes(records: Sequence[RawRecord]) -> Iterator[tuple[Event, Written]]:
    """Those that the read model takes; what it parks, nobody is shown."""
    for record, event in decoded(records):
        if not isinstance(event, Event) or record.key != event.stream.encode():
            continue
        write = event.data
        if not isinstance(write, Written) or not _stands(event, write, record.topic):
            continue
        yield event, write


def _stands(event: Event, write: Written, topic: str) -> bool:
    if event.stream != stream_of(topic.partition(".")[2], write.layer, write.key):
        return False
    try:
        check_write(write)
    except Refusal:
        return False
    return event.version == write.counter and wall_of(event) == write.wall


def _alike(name: str, one: Written, other: Written) -> bool:
    return same(getattr(one, name), getattr(other, name))
