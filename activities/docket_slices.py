"""Deciding a slice of a docket from its stored table and estimate, by whoever decides it or checks it."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from activities.docket_tasks import DecideSlice
from activities.ports import ArtifactStore
from domain.artifact import ArtifactRef
from domain.consensus import docket_estimate
from domain.consensus.ballot_table import BallotTable, kind_of, parse
from domain.consensus.docket import Docket, ItemOutcome, decide_item
from domain.consensus.docket_estimate import DocketEstimate
from domain.event import Event
from domain.stream import Draft, item_stream

SOURCE = "folkmoot/docket"
T = TypeVar("T")


class Slices:
    """Reads what slices need from the injected store; keeps the last tables and estimates at hand."""

    def __init__(self, artifacts: ArtifactStore) -> None:
        self._artifacts = artifacts
        self._tables: _Recent[BallotTable] = _Recent(_table)
        self._estimates: _Recent[DocketEstimate] = _Recent(docket_estimate.from_bytes)

    async def table(self, ref: ArtifactRef) -> BallotTable:
        return await self._tables.get(self._artifacts, ref)

    async def estimate(self, ref: ArtifactRef) -> DocketEstimate:
        return await self._estimates.get(self._artifacts, ref)

    async def decide(self, task: DecideSlice) -> tuple[list[Event], list[ItemOutcome]]:
        """Every event of the slice's items, and their lines of the result: the same for the same task.

        Raises:
            Refusal: the table or the estimate is not in the store.
        """
        table, estimate = await self.table(task.prepared.table), await self.estimate(task.prepared.estimate)
        return await asyncio.to_thread(_decide, task, table, estimate)


class _Recent(Generic[T]):
    """The last two values read from the store, by digest: the slices of a docket all need the same."""

    def __init__(self, read: Callable[[bytes], T]) -> None:
        self._read = read
        self._kept: dict[str, T] = {}
        self._lock = asyncio.Lock()

    async def get(self, artifacts: ArtifactStore, ref: ArtifactRef) -> T:
        async with self._lock:
            if ref.sha256 not in self._kept:
                raw = await artifacts.get(ref)
                self._kept[ref.sha256] = await asyncio.to_thread(self._read, raw)
                while len(self._kept) > 2:  # noqa: PLR2004 # as the docstring says
                    del self._kept[next(iter(self._kept))]
            return self._kept[ref.sha256]


def _decide(
    task: DecideSlice, table: BallotTable, estimate: DocketEstimate
) -> tuple[list[Event], list[ItemOutcome]]:
    request = task.request
    docket = Docket(request.id, request.question, request.topic, request.policy, table)
    events: list[Event] = []
    outcomes: list[ItemOutcome] = []
    for index in range(task.first, task.last):
        draft = Draft(item_stream(request.id, index), SOURCE, task.workflow_id, task.run_id)
        decided, outcome = decide_item(docket, index, estimate.of(index), draft, task.at)
        events += decided
        outcomes.append(outcome)
    return events, outcomes


def _table(raw: bytes) -> BallotTable:
    return parse(raw, kind=kind_of(raw))
