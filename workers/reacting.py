"""The reactor: keys that need a decision become conflict cases, a bounded number of them at once.

All that it must know is in the read tables and in Temporal; what it keeps in memory saves questions. So it
may be killed at any moment, and two at once open no case twice: a case's id follows from its key and the
number of the key's closed cases, and Temporal takes each id once.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import structlog
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from domain.causality.causal_context import Dot
from domain.conflict.coalescing import GrowOpenCase, StartCase, Waiting, admit, coalesce
from domain.conflict.reaction import Reaction, growth, home_region, opening, reported
from domain.context.decide import merged
from domain.context.events import Written
from domain.context.policy import ContextPolicy
from domain.context.recording import recorded
from domain.context.state import Entry
from domain.context.view import View, conflict_in, view
from domain.refusal import Refusal
from eventlog.writer import LogWriter
from projections.reaction_queries import ReactionQueries, Undecided
from workers.gone_cases import GoneCases
from workers.settings import Settings
from workers.shared_context import SharedContext
from workers.temporal_client import connect
from workflows import names

_log = structlog.get_logger(__name__)

EVERY = 0.5  # seconds between two looks
_QUEUE_FOR = 2.0  # seconds for which a queue is good: by then a more urgent one may have come
_BACKOFF = 1.0
_ANSWER_WITHIN = timedelta(seconds=10)
_UNSEEN_FOR = 60.0  # seconds after which a case that was started should have been projected


class Reactor:
    """Looks, starts and grows; one in a process."""

    def __init__(
        self,
        settings: Settings,
        reaction: Reaction,
        policy: ContextPolicy | None = None,
        *,
        client: Client | None = None,
        task_queue: str = names.TASK_QUEUE,
        every: float = EVERY,
        gone: GoneCases | None = None,
    ) -> None:
        """`client`, a connection to Temporal; by default one is made when there is something to decide."""
        self._settings, self._reaction, self._every = settings, reaction, every
        self._policy = policy or ContextPolicy()
        self._client, self._task_queue = client, task_queue
        self._started: dict[str, tuple[str, float]] = {}  # case streams not projected yet: key's stream, when
        self._aside: dict[str, str] = {}  # streams of keys that need no case, and their version then
        self._queue: list[tuple[Waiting, Undecided]] = []
        self._queued_at = float("-inf")
        self._seeded = False
        self._watch, self._gone = gone or GoneCases(), frozenset[str]()

    async def run(self, stop: asyncio.Event) -> None:
        """React until `stop` is set; while Postgres or Temporal is away it waits and says so."""
        said = ""
        while not stop.is_set():
            pause = self._every
            try:
                async with (
                    ReactionQueries(self._settings.database_url) as tables,
                    SharedContext(self._settings) as context,
                ):
                    while not stop.is_set():
                        await self.look(tables, context)
                        if said:
                            _log.info("reactor.resumed")
                            said = ""
                        with contextlib.suppress(TimeoutError):
                            await asyncio.wait_for(stop.wait(), self._every)
            except (OSError, RPCError, Refusal) as error:  # a timeout is an OSError
                pause, line = _BACKOFF, f"{type(error).__name__}: {error}"
                if line != said:  # once for as long as it lasts
                    _log.warning("reactor.interrupted", cause=line)
                said = line
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)

    async def look(self, tables: ReactionQueries, context: SharedContext) -> None:
        """One look: what grew is handed on, and as many cases start as the bound leaves room for."""
        running = await tables.open_cases()
        self._gone = await self._watch.among(running, self._temporal)
        running -= self._gone
        await self._forget_projected(tables)
        for found in await self._at_home(tables, await tables.growing(self._gone)) if running else ():
            await self._grow(tables, found)
        room = self._reaction.open_cases - len(running | self._started.keys())
        if room <= 0:
            return
        if not self._queue or time.monotonic() - self._queued_at > _QUEUE_FOR:
            await self._fill_queue(tables)
        if not self._queue:
            return
        if not self._seeded:
            await self._seed(running)
            room = self._reaction.open_cases - len(running | self._started.keys())
        chosen, rest = admit([one for one, _ in self._queue], 0, room)
        by_turn = {one.arrived: found for one, found in self._queue}
        self._queue = [(one, by_turn[one.arrived]) for one in rest]
        entries = await tables.entries([by_turn[one.arrived].stream for one in chosen])
        await asyncio.gather(
            *(
                self._start(context, one.start, found, entries[found.stream])
                for one in chosen
                if (found := by_turn[one.arrived]).stream in entries
            )
        )

    async def _fill_queue(self, tables: ReactionQueries) -> None:
        mine = await self._at_home(tables, await tables.waiting(self._gone))
        mine = [one for one in mine if self._aside.get(one.stream) != one.version]
        busy = {stream for stream, _ in self._started.values()}
        records = await tables.records([one.context for one in mine], self._gone) if mine else {}
        self._queue, self._queued_at = [], time.monotonic()
        for number, one in enumerate(mine):
            if one.stream in busy:
                continue
            report = reported(one.context, one.dots, one.flags, self._reaction)
            _, asked = coalesce(records[one.context], report)
            if isinstance(asked, StartCase):
                self._queue.append((Waiting(asked, number), one))

    async def _at_home(self, tables: ReactionQueries, found: Sequence[Undecided]) -> list[Undecided]:
        """Those whose region is the one that decides about their key."""
        if not found:
            return []
        regions = self._reaction.regions or await tables.regions()
        return [one for one in found if one.region == self._home(one, regions)]

    def _home(self, found: Undecided, regions: Iterable[str]) -> str | None:
        allowed = self._policy.residency.regions(found.layer, found.key)
        return home_region(
            found.layer, found.key, [name for name in regions if allowed is None or name in allowed]
        )

    async def _start(self, context: SharedContext, start: StartCase, found: Undecided, entry: Entry) -> None:
        stream = names.conflict_stream(start.case)
        writes = {write.dot: write for write in entry.siblings}
        if any(dot not in writes for dot in start.dots) or not await self._needed(context, found, entry):
            return
        try:
            request = opening(start, writes, found.region, self._reaction)
        except Refusal as refusal:
            _log.error("reactor.refused", stream=found.stream, cause=str(refusal))
            self._aside[found.stream] = found.version
            return
        client = await self._temporal()
        with contextlib.suppress(WorkflowAlreadyStartedError):  # by another, or before a kill
            async with asyncio.timeout(_ANSWER_WITHIN.total_seconds()):
                await client.start_workflow(
                    names.RESOLVE_CONFLICT,
                    request,
                    id=stream,
                    task_queue=self._task_queue,
                    id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    static_summary=f"conflict case {start.case}",
                )
            _log.info("reactor.case_opened", case=stream, stream=found.stream, writes=len(start.dots))
        self._started[stream] = (found.stream, time.monotonic())

    async def _needed(self, context: SharedContext, found: Undecided, entry: Entry) -> bool:
        """Whether siblings that stand by our clock are in conflict, also with their past looked up."""
        layer, now = self._policy.layers.named(found.layer), time.time_ns() // 1_000_000
        seen = view(entry, layer, found.region, now_ms=now)
        if seen.resolution is not None and seen.resolution.resolution is None:
            missing = _missing(entry, seen.siblings, layer, found.region)
            past: Sequence[Written] = ()
            if missing:
                past = await context.writes(found.region, found.layer, found.key, missing)
            seen = view(entry, layer, found.region, now_ms=now, history=past) if past else seen
            if seen.present:
                await self._merge(found, seen)
        needed = seen.resolution is not None and seen.resolution.resolution is None
        if not needed:
            _log.info("reactor.not_needed", stream=found.stream)
            self._aside[found.stream] = found.version
        return needed

    async def _merge(self, found: Undecided, seen: View) -> None:
        """Write what the past let the rule settle: the tables, which do not look it up, would never tell."""
        write = merged(seen.siblings, seen.value, found.region)
        event = recorded(write, found.region, self._policy.residency)
        async with LogWriter(self._settings.kafka, self._settings.topic_prefix) as log:
            await log.append(f"context.{found.region}", [event])
        _log.info("reactor.merged", stream=found.stream, writes=len(seen.siblings))

    async def _grow(self, tables: ReactionQueries, found: Undecided) -> None:
        record = (await tables.records([found.context], self._gone))[found.context]
        _, asked = coalesce(record, reported(found.context, found.dots, found.flags, self._reaction))
        entry = (await tables.entries([found.stream])).get(found.stream)
        if not isinstance(asked, GrowOpenCase) or entry is None:
            return
        writes = {write.dot: write for write in entry.siblings}
        if any(dot not in writes for dot in asked.dots):
            return  # replaced meanwhile; the next look sees what is there
        handle = (await self._temporal()).get_workflow_handle(names.conflict_stream(asked.case))
        try:
            await handle.execute_update(names.GROW, growth(asked.dots, writes), rpc_timeout=_ANSWER_WITHIN)
        except WorkflowUpdateRPCTimeoutOrCancelledError:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise asyncio.CancelledError from None  # the SDK says it otherwise
            raise TimeoutError(f"{handle.id} took no growth in time") from None
        except (WorkflowUpdateFailedError, RPCError) as error:
            # It was closed meanwhile, or it is full: what it did not hear is another case's.
            _log.info("reactor.not_grown", case=asked.case, cause=str(getattr(error, "cause", error)))
        else:
            _log.info("reactor.case_grown", case=asked.case, writes=len(asked.dots))

    async def _forget_projected(self, tables: ReactionQueries) -> None:
        if not self._started:
            return
        for stream in await tables.known_cases(list(self._started)):
            self._started.pop(stream, None)
        for stream, (key, since) in list(self._started.items()):
            if time.monotonic() - since > _UNSEEN_FOR:
                told = await (await self._temporal()).get_workflow_handle(stream).describe()
                if told.status is not WorkflowExecutionStatus.RUNNING:
                    # It ended without a word on the log: its place is free, its id is not.
                    _log.error("reactor.case_unseen", case=stream, stream=key)
                    del self._started[stream]
                else:
                    self._started[stream] = (key, time.monotonic())

    async def _seed(self, running: set[str]) -> None:
        """Count what was started before this process and is not projected yet."""
        query = f'WorkflowType = "{names.RESOLVE_CONFLICT}" AND ExecutionStatus = "Running"'
        async for one in (await self._temporal()).list_workflows(query):
            if one.id.startswith("conflict/c-") and one.id not in running:
                self._started[one.id] = ("", time.monotonic())
        self._seeded = True

    async def _temporal(self) -> Client:
        if self._client is None:
            self._client = await connect(self._settings)
        return self._client


def _missing(entry: Entry, siblings: tuple[Written, ...], layer: Any, region: str) -> tuple[Dot, ...]:
    conflict = conflict_in(entry, layer, region, siblings=siblings)
    return conflict.ancestor.missing if conflict is not None else ()
