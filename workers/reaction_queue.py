"""The keys that wait for a case, the most urgent first, as the read tables had them a moment ago."""

import asyncio
import time
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import structlog

from domain.conflict.case import ContextKey
from domain.conflict.coalescing import KeyRecord, StartCase, Waiting, admit, coalesce
from domain.conflict.reaction import Reaction, home_region, reported
from domain.context.residency import Residency
from domain.refusal import Refusal
from projections.reaction_queries import ReactionQueries, Undecided

_log = structlog.get_logger(__name__)

_GOOD_FOR = 2.0  # seconds: by then a more urgent key may have come
_SHARE = 20  # of the time, at most one part in so many goes into looking at all that wait
_GOOD_AT_MOST = 15.0  # seconds
_AT_A_TIME = 500  # keys, between which the process gets to do something else


class Next(NamedTuple):
    """The case that a key asks for."""

    start: StartCase
    found: Undecided


class Queue:
    """Filled from all that wait, and good for the longer, the longer that took: a storm has many."""

    def __init__(self, reaction: Reaction, residency: Residency) -> None:
        self._reaction, self._residency = reaction, residency
        self._waiting: deque[Next] = deque()
        self._aside: dict[str, str] = {}  # streams of keys that need no case, and their version then
        self._unreadable = set[str]()  # streams of keys, so that each is told of once
        self._due = float("-inf")

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self, most: int) -> list[Next]:
        """Those that come first, at most so many; none of none or less."""
        return [self._waiting.popleft() for _ in range(min(max(most, 0), len(self._waiting)))]

    def set_aside(self, found: Undecided) -> None:
        """Until it is written again, the key needs no case."""
        self._aside[found.stream] = found.version

    def spoil(self) -> None:
        """Fill it again at the next look: what was taken may not have been started."""
        self._due = float("-inf")

    async def fill(self, tables: ReactionQueries, busy: Iterable[str], gone: Collection[str] = ()) -> None:
        """Look again at all that wait, if it is time to; keys whose streams are `busy` have their case.

        `gone` are open cases that nobody works on.
        """
        began = time.monotonic()
        if began < self._due:
            return
        mine = await self.at_home(tables, await tables.waiting(gone))
        self._aside = {one.stream: one.version for one in mine if self._aside.get(one.stream) == one.version}
        taken = self._aside.keys() | set(busy)
        mine = [one for one in mine if one.stream not in taken]
        records = await tables.records([one.context for one in mine], gone) if mine else {}
        asking: list[Next] = []
        for first in range(0, len(mine), _AT_A_TIME):
            asking += self._asking(mine[first : first + _AT_A_TIME], records)
            await asyncio.sleep(0)
        self._waiting = deque(_in_turn(asking))
        cost = _SHARE * (time.monotonic() - began)
        self._due = began + min(max(cost, _GOOD_FOR if asking else 0.0), _GOOD_AT_MOST)

    async def at_home(self, tables: ReactionQueries, found: Sequence[Undecided]) -> list[Undecided]:
        """Those whose region is the one that decides about their key, and whose version can be read."""
        if not found:
            return []
        regions = self._reaction.regions or await tables.regions()
        mine: list[Undecided] = []
        for first in range(0, len(found), _AT_A_TIME):
            part = found[first : first + _AT_A_TIME]
            mine += [one for one in part if one.region == self._home(one, regions) and self._readable(one)]
            await asyncio.sleep(0)
        return mine

    def _readable(self, found: Undecided) -> bool:
        """A row from before such writes were refused stops no other key."""
        try:
            return bool(found.dots)
        except Refusal as refusal:
            if found.stream not in self._unreadable:
                _log.error("reactor.refused", stream=found.stream, cause=str(refusal))
            self._unreadable.add(found.stream)
            return False

    def _home(self, found: Undecided, regions: Iterable[str]) -> str | None:
        allowed = self._residency.regions(found.layer, found.key)
        return home_region(
            found.layer, found.key, [name for name in regions if allowed is None or name in allowed]
        )

    def _asking(self, found: Iterable[Undecided], records: Mapping[ContextKey, KeyRecord]) -> list[Next]:
        asking: list[Next] = []
        for one in found:
            report = reported(one.context, one.dots, one.flags, self._reaction)
            _, asked = coalesce(records[one.context], report)
            if isinstance(asked, StartCase):
                asking.append(Next(asked, one))
        return asking


def _in_turn(asking: Sequence[Next]) -> list[Next]:
    waiting = [Waiting(one.start, number) for number, one in enumerate(asking)]
    ordered, _ = admit(waiting, 0, len(waiting))
    return [asking[one.arrived] for one in ordered]
