"""DecideDocket: a table decided in slices, so that ten thousand items cost no ten thousand workflows."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.docket import DocketWork
    from activities.docket_tasks import (
        CloseDocket,
        DecidedSlice,
        DecideSlice,
        ModelSummary,
        PreparedDocket,
        PrepareDocket,
    )
    from domain.artifact import ArtifactRef
    from domain.consensus.docket import DecideDocketRequest
    from domain.consensus.docket_state import NO_DOCKET, DocketState, fold_docket_all, slices, withdraw
    from domain.consensus.events import DocketClosed, DocketEstimated, DocketEvent, DocketOpened, SliceDecided
    from domain.stream import Draft
    from workflows import docket_text, names
    from workflows.entrance import hand_over
    from workflows.heartbeats import ALIVE
    from workflows.recording import Recording

SLICES_AT_ONCE = 2
_PATIENCE = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=10))


@dataclass(frozen=True, slots=True)
class DocketOutcome:
    """A decided docket. `results` holds one outcome per item and each voter's account, as JSON."""

    id: str
    items: int
    statuses: dict[str, int]
    results: ArtifactRef
    model: ModelSummary | None


@dataclass(frozen=True, slots=True)
class DocketProgress:
    """How many of the items stand decided on the log, and as what."""

    items: int
    decided: int
    statuses: dict[str, int]


@workflow.defn(name=names.DECIDE_DOCKET)
class DecideDocket:
    """A table of recorded ballots, decided item by item on the log."""

    def __init__(self) -> None:
        info = workflow.info()
        draft = Draft(info.workflow_id, names.SOURCE, info.workflow_id, info.run_id)
        self._recording = Recording("decisions", draft, NO_DOCKET, fold_docket_all)
        self._outcomes: dict[int, ArtifactRef] = {}
        self._cancelled = False

    @property
    def _state(self) -> DocketState:
        return self._recording.state

    @workflow.run
    async def run(self, request: DecideDocketRequest) -> DocketOutcome:
        """Takes one JSON object: id, and `table` (a reference) or `ballots` (rows); the rest has defaults."""
        stream = names.docket_stream(request.id)
        if workflow.info().workflow_id != stream:
            return await hand_over(DecideDocket.run, request, stream)
        prepared = await self._prepare(request)
        request = replace(request, table=prepared.table, ballots=())  # not once more with every slice
        opening = _opening(request, prepared)
        try:
            await self._recording.open(lambda draft, at: draft.events(opening, at), f"open {request.id}")
            await self._decide(request, prepared)
        except (asyncio.CancelledError, ActivityError) as error:
            if not is_cancelled_exception(error):
                raise
            reason = workflow.cancellation_reason() or ""
            await self._recording.record(lambda state: withdraw(state, reason), "withdraw the docket")
            if self._state.closed is None:
                self._show(request, "withdrawn")
                raise
        return self._outcome(request, prepared)

    @workflow.query(name="progress", description="How many items are decided, and as what.")
    def progress(self) -> DocketProgress:
        items = self._state.opened.items if self._state.opened else 0
        return DocketProgress(items, self._state.decided, dict(sorted(self._state.statuses.items())))

    async def _prepare(self, request: DecideDocketRequest) -> PreparedDocket:
        return await workflow.execute_activity_method(
            DocketWork.prepare_docket,
            PrepareDocket(request, workflow.now()),
            start_to_close_timeout=timedelta(minutes=30),
            heartbeat_timeout=ALIVE,
            retry_policy=_PATIENCE,
            summary=f"read the table, estimate by {request.policy.weighting}",
        )

    async def _decide(self, request: DecideDocketRequest, prepared: PreparedDocket) -> None:
        self._show(request, "deciding")
        room = asyncio.Semaphore(SLICES_AT_ONCE)
        work = [self._slice(request, prepared, *part, room) for part in slices(prepared.items)]
        deciding = asyncio.gather(*work)
        try:
            await asyncio.shield(deciding)
        except asyncio.CancelledError:
            self._cancelled = True
            await deciding  # a slice under way ends, so that no item is left without an outcome on the log
            raise
        await self._close(request, prepared)

    async def _slice(
        self,
        request: DecideDocketRequest,
        prepared: PreparedDocket,
        first: int,
        last: int,
        room: asyncio.Semaphore,
    ) -> None:
        async with room:
            if self._cancelled:
                return
            info = workflow.info()
            task = DecideSlice(request, prepared, first, last, workflow.now(), info.workflow_id, info.run_id)
            done: DecidedSlice = await workflow.execute_activity_method(
                DocketWork.decide_slice,
                task,
                start_to_close_timeout=timedelta(minutes=10),
                heartbeat_timeout=ALIVE,
                retry_policy=_PATIENCE,
                summary=f"decide items {first + 1} to {last}",
            )
        said = SliceDecided(done.first, done.last, done.events, done.statuses)
        await self._recording.record(lambda _: [said], f"items {first + 1} to {last} stand on the log")
        self._outcomes[first] = done.outcomes
        self._show(request, "deciding")

    async def _close(self, request: DecideDocketRequest, prepared: PreparedDocket) -> None:
        results = await workflow.execute_activity_method(
            DocketWork.close_docket,
            CloseDocket(
                request,
                prepared,
                tuple(ref for _, ref in sorted(self._outcomes.items())),
            ),
            start_to_close_timeout=timedelta(minutes=10),
            heartbeat_timeout=ALIVE,
            retry_policy=_PATIENCE,
            summary="sum up the outcomes and each voter's account",
        )
        statuses = dict(sorted(self._state.statuses.items()))
        closed = DocketClosed(prepared.items, statuses, results)
        await self._recording.record(lambda _: [closed], "close the docket")

    def _outcome(self, request: DecideDocketRequest, prepared: PreparedDocket) -> DocketOutcome:
        closed = self._state.closed
        if closed is None:
            raise AssertionError("a docket has its outcome when it is closed")
        self._show(request, "closed")
        return DocketOutcome(request.id, closed.items, closed.statuses, closed.results, prepared.model)

    def _show(self, request: DecideDocketRequest, status: str) -> None:
        at = self.progress()
        workflow.set_current_details(docket_text.details(request, at.items, at.decided, at.statuses))
        workflow.upsert_search_attributes([names.KIND.value_set("docket"), names.STATUS.value_set(status)])


def _opening(request: DecideDocketRequest, prepared: PreparedDocket) -> list[DocketEvent]:
    opened = DocketOpened(
        docket=request.id,
        question=request.question,
        topic=request.topic,
        table=prepared.table,
        items=prepared.items,
        voters=prepared.voters,
        choices=prepared.choices,
        policy=request.policy,
        reputations_read=prepared.reputations_read,
    )
    model = prepared.model
    if model is None:
        return [opened]
    estimated = DocketEstimated(
        method=model.method,
        log_likelihood=model.log_likelihood,
        marginals=model.marginals,
        iterations=model.iterations,
        converged=model.converged,
        estimate=prepared.estimate,
    )
    return [opened, estimated]
