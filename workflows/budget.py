"""KeepBudget: one privacy ledger, kept for ever by one workflow, which decides one charge after another."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.budget import Budgeting, CompositionsWanted
    from domain.event import Event
    from domain.learning.budget import kept
    from domain.learning.budget.commands import Charge, Charged
    from domain.learning.budget.decide import answered, charge_budget, check, compositions
    from domain.learning.budget.state import CLOSED, fold_all
    from domain.learning.mechanism import Composition
    from domain.refusal import Refusal
    from domain.stream import Draft
    from workflows import names
    from workflows.heartbeats import ALIVE
    from workflows.recording import Recording

CHARGES_IN_A_RUN = 200
"""A run's history stays in the thousands of events; Temporal takes 2,000 updates in one."""
_PATIENCE = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=10))


@dataclass(frozen=True, slots=True)
class KeepLedger:
    """Which ledger; `state` and `version` are what the run before this one left.

    `charges`: after how many it goes on in a new run; of the input, so that a replay does the same.
    """

    ledger: str
    state: str = ""
    version: int = 0
    charges: int = CHARGES_IN_A_RUN


@workflow.defn(name=names.KEEP_BUDGET)
class KeepBudget:
    """Charges are decided one at a time, on the log first; whoever asks gets the answer from the fold."""

    @workflow.init
    def __init__(self, request: KeepLedger) -> None:
        info = workflow.info()
        draft = Draft(info.workflow_id, names.SOURCE, info.workflow_id, info.run_id, request.version)
        state = kept.read(request.state) if request.state else CLOSED
        self._recording = Recording("learning", draft, state, fold_all)
        self._turn = asyncio.Lock()
        self._version = request.version
        self._charges = 0
        self._most = request.charges

    @workflow.run
    async def run(self, request: KeepLedger) -> None:
        """Takes one JSON object: ledger; the rest is for its own next run."""
        stream = names.budget_stream(request.ledger)
        if workflow.info().workflow_id != stream:
            raise Refusal("ledger", f"is kept by the workflow {stream}, which its first charge starts")
        workflow.upsert_search_attributes([names.KIND.value_set("budget")])
        await workflow.wait_condition(self._is_full)
        state = kept.written(self._recording.state)
        workflow.continue_as_new(replace(request, state=state, version=self._version))

    @workflow.update(name=names.CHARGE, description="Charge all subjects for a release, or none of them.")
    async def charge(self, charge: Charge) -> Charged:
        """The same id again gives the same answer."""
        async with self._turn:
            known = answered(self._recording.state, charge)
            if known is not None:
                return known
            check(self._recording.state, charge)
            epsilons = await self._epsilons(charge)
            await self._record(charge, epsilons)
            self._charges += 1
            given = answered(self._recording.state, charge)
            if given is None:
                raise AssertionError("a charge that is folded has its answer")
            return given

    @charge.validator
    def _check(self, charge: Charge) -> None:
        mine = workflow.info().workflow_id
        if names.budget_stream(charge.ledger) != mine:
            raise Refusal("ledger", f"this is {mine}, not {names.budget_stream(charge.ledger)}")

    def _is_full(self) -> bool:
        full = self._charges >= self._most or workflow.info().is_continue_as_new_suggested()
        return full and self._charges > 0 and workflow.all_handlers_finished()

    async def _epsilons(self, charge: Charge) -> Mapping[Composition, float]:
        wanted = compositions(self._recording.state, charge)
        found: tuple[float, ...] = await workflow.execute_activity_method(
            Budgeting.compose_budget,
            CompositionsWanted(wanted, charge.delta),
            start_to_close_timeout=timedelta(minutes=10),
            heartbeat_timeout=ALIVE,
            retry_policy=_PATIENCE,
            summary=f"what {len(wanted)} compositions come to",
        )
        return dict(zip(wanted, found, strict=True))

    async def _record(self, charge: Charge, epsilons: Mapping[Composition, float]) -> None:
        recording = self._recording
        summary = f"charge {len(charge.subjects)} subjects for {charge.id}"

        def write(draft: Draft, at: datetime) -> list[Event]:
            return draft.events(charge_budget(recording.state, charge, epsilons), at)

        if recording.state.opened is None:
            written = await recording.open(write, summary)
        else:
            written = await recording.record(lambda state: charge_budget(state, charge, epsilons), summary)
        self._version = written[-1].version
