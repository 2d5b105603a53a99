"""The weights of panels, held against what they rest on: under `reputation` the rulings before them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from audit.discards import discarded_by_turns
from audit.divergent import Divergent
from audit.dockets import DocketRecord, item_index
from audit.standings import Asked, Standings, standings
from domain.consensus import reputation
from domain.consensus.events import DocketOpened, Opened
from domain.consensus.policy import Policy
from domain.consensus.prequential import prequential_weights
from domain.event import Event
from eventlog.reader import LogReader

Expected = Iterator[tuple[Event, Mapping[str, float]]]
"""Openings, each with what its voters must weigh."""


@dataclass(slots=True)
class _Docket:
    """A docket under `reputation`: its own opening, and those of its items."""

    opening: Event | None = None
    openings: dict[int, Event] = field(default_factory=dict)
    record: DocketRecord = field(default_factory=DocketRecord)


@dataclass(slots=True)
class Weights:
    """The openings that a replay met; `recomputed` panels had their weights computed again from rulings."""

    recomputed: int = 0
    divergent: list[Divergent] = field(default_factory=list)
    _single: list[Event] = field(default_factory=list)
    _dockets: dict[str, _Docket] = field(default_factory=dict)

    def take(self, events: Sequence[Event]) -> None:
        """Add a stream. Where nothing but ballots weighs, its weights are looked at at once."""
        match events[0].data:
            case Opened(policy=Policy(fault_model="stake")):
                return  # stakes are given, not earned
            case Opened(policy=Policy(weighting="reputation"), docket=None):
                self._single.append(events[0])
            case Opened(policy=Policy(weighting="reputation"), docket=str(docket)):
                index = item_index(events)
                if index is not None:
                    item_of = self._dockets.setdefault(docket, _Docket())
                    item_of.openings[index] = events[0]
                    item_of.record.take(events)
            case Opened(panel=panel):
                self._compare(
                    events[0], {seat.voter: 1.0 for seat in panel}, "under its policy all weigh alike"
                )
            case DocketOpened(policy=Policy(weighting="reputation"), docket=docket):
                self._dockets.setdefault(docket, _Docket()).opening = events[0]

    async def settle(self, reader: LogReader) -> None:
        """Read the log once more, as far as reputations were read from it, and compare.

        A ruling may have stood parked when they were read, and count since a discard freed its stream: those
        that differ are looked at again without the last discard, and so on.
        """
        asked = [(one, question) for one in self._all() if (question := self._question(one)) is not None]
        self.recomputed += sum(len(one.openings) or 1 for one, _ in asked)
        problems: dict[int, tuple[Event, str]] = {}
        left = list(range(len(asked)))
        async with aclosing(discarded_by_turns(reader)) as states:
            while left and (discards := await anext(states, None)) is not None:
                known = await standings(reader, [asked[number][1] for number in left], discards)
                for number, answer in zip(left, known, strict=True):
                    difference = _first_difference(asked[number][0], answer)
                    if difference is None:
                        problems.pop(number, None)
                    else:
                        problems.setdefault(number, difference)
                left = sorted(problems)
        for event, problem in problems.values():
            self._name(event, f"{problem} follows from the rulings that it names")

    def _all(self) -> Iterator[_Docket]:
        """Single deliberations, and dockets of which no item before another is missing."""
        yield from (_Docket(opening) for opening in self._single)
        for docket in self._dockets.values():
            if docket.opening is not None and docket.openings and docket.record.table() is not None:
                yield docket  # whether it was closed or withdrawn: an item rests on those before it only

    def _question(self, one: _Docket) -> Asked | None:
        opening = one.opening
        if opening is None or not isinstance(opening.data, Opened | DocketOpened):
            return None
        read = opening.data.reputations_read
        if read is None or read.at > opening.time.timestamp():
            late = "is missing" if read is None else "is later than the opening"
            self._name(opening, f"reputations_read: {late}, so that its weights rest on nothing")
            return None
        return Asked(_topic(opening.data), frozenset(_voters(one)), read)

    def _compare(self, event: Event, expected: Mapping[str, float], why: str) -> None:
        difference = _difference(event, expected)
        if difference is not None:
            self._name(event, f"{difference[1]}: {why}")

    def _name(self, event: Event, problem: str) -> None:
        self.divergent.append(Divergent(event.stream, event.id, event.type, problem))


def _expected(one: _Docket, known: Standings) -> Expected:
    if one.opening is None:
        return
    if isinstance(one.opening.data, Opened):
        yield one.opening, {voter: _weight(known, voter) for voter in _voters(one)}
        return
    table = one.record.table()
    if table is not None and isinstance(one.opening.data, DocketOpened):
        for index, weights in enumerate(prequential_weights(table, one.opening.data.policy, known)):
            voters = (vote.voter for vote in table.votes(index))
            yield one.openings[index], dict(zip(voters, weights, strict=True))


def _first_difference(one: _Docket, known: Standings) -> tuple[Event, str] | None:
    return next(filter(None, (_difference(*pair) for pair in _expected(one, known))), None)


def _weight(known: Standings, voter: str) -> float:
    return reputation.weight(reputation.mean(*known[voter]) if voter in known else None)


def _voters(one: _Docket) -> Iterator[str]:
    for event in one.openings.values() if one.openings else filter(None, [one.opening]):
        if isinstance(event.data, Opened):
            yield from (seat.voter for seat in event.data.panel)


def _topic(opened: Opened | DocketOpened) -> str:
    return opened.proposal.topic if isinstance(opened, Opened) else opened.topic


def _difference(event: Event, expected: Mapping[str, float]) -> tuple[Event, str] | None:
    """The first seat that weighs otherwise."""
    panel = event.data.panel if isinstance(event.data, Opened) else ()
    for seat in panel:
        follows = expected.get(seat.voter)
        if seat.weight != follows:
            return event, f"weight of {seat.voter}: recorded {seat.weight}, but {follows}"
    return None
