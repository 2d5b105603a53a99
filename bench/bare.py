"""The floor for a deliberation: a bare workflow with two activities that do nothing, in its own process."""

import asyncio
import sys
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker

QUEUE = "bench-bare"


@activity.defn
async def nothing(text: str) -> None:
    """Takes what an append takes, about, and does nothing with it."""


@workflow.defn
class TwoActivities:
    """As many round trips as a recorded deliberation makes."""

    @workflow.run
    async def run(self, text: str) -> str:
        for _ in range(2):
            await workflow.execute_activity(nothing, text, start_to_close_timeout=timedelta(seconds=20))
        return text


async def main(address: str) -> None:
    """Serve until the process is ended."""
    client = await Client.connect(address)
    async with Worker(client, task_queue=QUEUE, workflows=[TwoActivities], activities=[nothing]):
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
