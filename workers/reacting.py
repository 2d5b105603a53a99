"""The reactor: keys that need a decision become conflict cases, a bounded number of them at once.

All that it must know is in the read tables and in Temporal; what it keeps in memory saves questions. So it
may be killed at any moment, and two at once open no case twice: a case's id follows from its key and the
number of the key's closed cases, and Temporal takes each id once.
"""

import asyncio
import contextlib
from collections.abc import Sequence

import structlog
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from domain.conflict.coalescing import StartCase
from domain.conflict.reaction import Reaction, opening
from domain.context.state import Entry
from domain.refusal import Refusal
from projections.reaction_queries import ReactionQueries, Undecided
from workers import case_runs, context_rules
from workers.deciding import Rules
from workers.gone_cases import GoneCases
from workers.reaction_growing import Growing
from workers.reaction_needed import Needed
from workers.reaction_queue import Next, Queue
from workers.reaction_started import Started
from workers.settings import Settings
from workers.shared_context import SharedContext
from workers.temporal_client import connect
from workflows import names

_log = structlog.get_logger(__name__)

EVERY = 0.5  # seconds between two looks
_BACKOFF = 1.0
_ANSWER_WITHIN = 10.0  # seconds for one answer of Temporal's
_TOGETHER = 20  # cases that are started at once: more at a time, and a busy server answers none of them


class Reactor:
    """Looks, starts and grows; one in a process."""

    def __init__(
        self,
        settings: Settings,
        reaction: Reaction,
        rules: Rules | None = None,
        *,
        client: Client | None = None,
        task_queue: str = names.TASK_QUEUE,
        every: float = EVERY,
        gone: GoneCases | None = None,
    ) -> None:
        """`rules` must be those of the projector, by default those of the policy's file.

        `client`, a connection to Temporal; by default one is made when there is something to decide.
        """
        self._settings, self._reaction, self._every = settings, reaction, every
        rules = rules or context_rules.rules()
        self._client, self._task_queue = client, task_queue
        self._started = Started()
        self._queue = Queue(reaction, rules.residency)
        self._needed = Needed(settings, rules)
        self._growing = Growing(reaction)
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
                self._queue.spoil()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)

    async def look(self, tables: ReactionQueries, context: SharedContext) -> None:
        """One look: what grew is handed on, and as many cases start as the bound leaves room for."""
        running = await tables.open_cases()
        self._gone = await self._watch.among(running, self._temporal)
        running -= self._gone
        await self._started.compare(tables, running)
        if running:
            await self._grow(tables)
        if len(running) >= self._reaction.open_cases:
            return
        await self._queue.fill(tables, self._started.keys(), self._gone)
        if not self._queue:
            return
        if not self._seeded:
            await self._seed(running)
        await self._started.ask(await self._temporal())
        chosen = self._queue.take(self._reaction.open_cases - len(running | self._started.cases()))
        for first in range(0, len(chosen), _TOGETHER):
            await self._start_together(tables, context, chosen[first : first + _TOGETHER])

    async def _grow(self, tables: ReactionQueries) -> None:
        grown = self._growing.untold(await self._queue.at_home(tables, await tables.growing(self._gone)))
        if grown:
            await self._growing.tell(tables, await self._temporal(), grown, self._gone)

    async def _start_together(
        self, tables: ReactionQueries, context: SharedContext, chosen: Sequence[Next]
    ) -> None:
        entries = await tables.entries([one.found.stream for one in chosen])
        ended = await asyncio.gather(
            *(
                self._start(context, one.start, one.found, entries[one.found.stream])
                for one in chosen
                if one.found.stream in entries
            ),
            return_exceptions=True,  # each has its place, and must have come to its end
        )
        for error in ended:
            if error is not None:
                raise error

    async def _start(self, context: SharedContext, start: StartCase, found: Undecided, entry: Entry) -> None:
        stream = names.conflict_stream(start.case)
        writes = {write.dot: write for write in entry.siblings}
        if any(dot not in writes for dot in start.dots):
            return
        try:
            if not await self._needed.decision(context, found, entry):
                _log.info("reactor.not_needed", stream=found.stream)
                self._queue.set_aside(found)
                return
            request = opening(start, writes, found.region, self._reaction)
        except Refusal as refusal:
            _log.error("reactor.refused", stream=found.stream, cause=str(refusal))
            self._queue.set_aside(found)
            return
        client = await self._temporal()
        self._started.take(stream, found.stream)
        try:
            async with asyncio.timeout(_ANSWER_WITHIN):
                await client.start_workflow(
                    names.RESOLVE_CONFLICT,
                    request,
                    id=stream,
                    task_queue=self._task_queue,
                    id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    static_summary=f"conflict case {start.case}",
                )
        except WorkflowAlreadyStartedError:
            pass  # by another, or before a kill
        except (OSError, RPCError):
            self._started.doubt(stream)
            raise
        else:
            _log.info("reactor.case_opened", case=stream, stream=found.stream, writes=len(start.dots))

    async def _seed(self, running: set[str]) -> None:
        """Count what was started before this process and is not projected yet."""
        async for case in case_runs.running(await self._temporal()):
            if case not in running:
                self._started.take(case, "")
        self._seeded = True

    async def _temporal(self) -> Client:
        if self._client is None:
            self._client = await connect(self._settings)
        return self._client
