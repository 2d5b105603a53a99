"""ReachConsensus as it must never be changed under a running deliberation: it waits before it opens."""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.consensus.commands import OpenDeliberation
    from workflows import names
    from workflows.consensus import ReachConsensus


@workflow.defn(name=names.REACH_CONSENSUS)
class WaitsFirst(ReachConsensus):
    @workflow.run
    async def run(self, request: OpenDeliberation) -> object:
        await workflow.sleep(timedelta(seconds=1))
        return await super().run(request)
