"""Workflows as they must never be changed: under a running decision, or at all."""

from datetime import UTC, datetime, timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.conflict.commands import OpenCase
    from domain.consensus.commands import OpenDeliberation
    from workflows import names
    from workflows.conflict import ResolveConflict
    from workflows.consensus import ReachConsensus
    from workflows.learning import RunLearningCycle
    from workflows.learning_carry import CycleInput


@workflow.defn(name=names.REACH_CONSENSUS)
class WaitsFirst(ReachConsensus):
    """Has a step before the first, so that histories no longer fit."""

    @workflow.run
    async def run(self, request: OpenDeliberation) -> object:
        await workflow.sleep(timedelta(seconds=1))
        return await super().run(request)


@workflow.defn(name=names.RESOLVE_CONFLICT)
class WaitsBeforeItsCase(ResolveConflict):
    @workflow.run
    async def run(self, request: OpenCase) -> object:
        await workflow.sleep(timedelta(seconds=1))
        return await super().run(request)


@workflow.defn(name=names.RUN_LEARNING_CYCLE)
class WaitsBeforeItsCycle(RunLearningCycle):
    @workflow.run
    async def run(self, given: CycleInput) -> object:
        await workflow.sleep(timedelta(seconds=1))
        return await super().run(given)


@workflow.defn(name=names.REACH_CONSENSUS)
class LooksAtTheClock(ReachConsensus):
    """Would decide otherwise when replayed."""

    @workflow.run
    async def run(self, request: OpenDeliberation) -> object:
        datetime.now(UTC)
        return await super().run(request)
