"""The floor for a deliberation: a bare workflow whose activities do nothing, in its own process."""

import asyncio
import sys
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker

QUEUE = "bench-bare"


@activity.defn
async def nothing(text: str) -> None:
    """Takes what an append takes and does nothing with it."""


@workflow.defn
class AsManyActivities:
    """One activity after the other, each given as many bytes as the one that it stands for; so the result."""

    @workflow.run
    async def run(self, sizes: list[int], returned: int) -> str:
        for size in sizes:
            await workflow.execute_activity(nothing, "x" * size, start_to_close_timeout=timedelta(seconds=20))
        return "x" * returned


async def main(address: str) -> None:
    """Serve until the process is ended."""
    client = await Client.connect(address)
    async with Worker(client, task_queue=QUEUE, workflows=[AsManyActivities], activities=[nothing]):
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
