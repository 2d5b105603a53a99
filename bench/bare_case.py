"""The floor for a case: bare workflows of the same steps with idle activities, in a process of their own."""

import asyncio
import sys
from dataclasses import dataclass, field
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

QUEUE = "bench-bare-case"


@dataclass
class Step:
    """An activity; or, with a `name`, a child workflow of these `steps`. Sizes are in bytes."""

    given: int
    returned: int
    name: str = ""
    steps: "list[Step]" = field(default_factory=list)


@activity.defn
async def so_many_bytes(text: str, returned: int) -> str:  # noqa: ARG001 # as many bytes as ours is given
    """Takes what ours takes and answers with as much."""
    return "x" * returned


@workflow.defn
class SameSteps:
    """One step after the other, without a decision."""

    @workflow.run
    async def run(self, whole: Step, filler: str) -> str:  # noqa: ARG002 # as many bytes as ours is given
        for step in whole.steps:
            if step.name:
                await workflow.execute_child_workflow(
                    SameSteps.run,
                    args=[step, "x" * step.given],
                    id=f"{workflow.info().workflow_id}-{step.name}",
                )
            else:
                await workflow.execute_activity(
                    so_many_bytes,
                    args=["x" * step.given, step.returned],
                    start_to_close_timeout=timedelta(seconds=20),
                )
        return "x" * whole.returned


async def main(address: str) -> None:
    """Serve until the process is ended; without the sandbox, as our orchestrator does."""
    client = await Client.connect(address)
    async with Worker(
        client,
        task_queue=QUEUE,
        workflows=[SameSteps],
        activities=[so_many_bytes],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
