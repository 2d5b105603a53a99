"""Open cases that grow: what was written to their keys since is handed to them."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

import structlog
from temporalio.client import Client, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.service import RPCError, RPCStatusCode

from domain.causality.causal_context import Dot
from domain.conflict.coalescing import GrowOpenCase, coalesce
from domain.conflict.reaction import Reaction, growth, reported
from domain.context.events import Written
from projections.reaction_queries import ReactionQueries, Undecided
from workflows import names

_log = structlog.get_logger(__name__)

ANSWER_WITHIN = timedelta(seconds=10)
_TOGETHER = 20  # cases that are told at once


class Growing:
    """Tells each open case what it does not hold; what it refused once it is not told again."""

    def __init__(self, reaction: Reaction, answer_within: timedelta = ANSWER_WITHIN) -> None:
        self._reaction, self._within = reaction, answer_within
        self._refused: dict[str, str] = {}  # streams of keys, and the version that their case refused

    def untold(self, grown: Sequence[Undecided]) -> list[Undecided]:
        """Those of `grown`, which are all that there are, that their case has not refused."""
        there = {one.stream: one.version for one in grown}
        self._refused = {k: version for k, version in self._refused.items() if there.get(k) == version}
        return [one for one in grown if one.stream not in self._refused]

    async def tell(
        self,
        tables: ReactionQueries,
        client: Client,
        grown: Sequence[Undecided],
        gone: Collection[str] = (),
    ) -> None:
        """Hand each case what was written to its key, as far as that stands; `gone` ones are no more open."""
        records = await tables.records([one.context for one in grown], gone)
        entries = await tables.entries([one.stream for one in grown])
        told = []
        for found in grown:
            report = reported(found.context, found.dots, found.flags, self._reaction)
            _, asked = coalesce(records[found.context], report)
            entry = entries.get(found.stream)
            if not isinstance(asked, GrowOpenCase) or entry is None:
                continue
            writes = {write.dot: write for write in entry.siblings}
            if writes.keys() >= set(asked.dots):  # else replaced meanwhile; the next look sees what is there
                told.append((found, asked, writes))
        for first in range(0, len(told), _TOGETHER):
            await asyncio.gather(*(self._tell(client, *one) for one in told[first : first + _TOGETHER]))

    async def _tell(
        self, client: Client, found: Undecided, asked: GrowOpenCase, writes: Mapping[Dot, Written]
    ) -> None:
        handle = client.get_workflow_handle(names.conflict_stream(asked.case))
        try:
            await handle.execute_update(names.GROW, growth(asked.dots, writes), rpc_timeout=self._within)
        except WorkflowUpdateRPCTimeoutOrCancelledError:
            # The SDK says the same of both. A cancelled task must end; a late answer is asked for again.
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise asyncio.CancelledError from None
            _log.warning("reactor.case_silent", case=asked.case)
        except (WorkflowUpdateFailedError, RPCError) as error:
            if isinstance(error, RPCError) and error.status is not RPCStatusCode.NOT_FOUND:
                raise
            # It was closed meanwhile, or it is full: what it did not hear is another case's.
            _log.info("reactor.not_grown", case=asked.case, cause=str(getattr(error, "cause", error)))
            self._refused[found.stream] = found.version
        else:
            _log.info("reactor.case_grown", case=asked.case, writes=len(asked.dots))
