"""Tells Temporal that an activity's worker lives, so that one killed hard is missed within seconds."""

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.progress import CURRENT, Progress

ALIVE = timedelta(seconds=5)
"""Heartbeat timeout of our activities: a retry elsewhere begins this long after a worker died."""


class Heartbeats(Interceptor):
    """Beats for every activity that has a heartbeat timeout; none of them need think of it."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 # the SDK's name
        return _Beating(next)


class _Beating(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 # the SDK's name
        timeout = activity.info().heartbeat_timeout
        if not timeout:
            return await super().execute_activity(input)
        progress = Progress()
        beating = asyncio.create_task(_beat(timeout.total_seconds() / 3, progress))
        telling = CURRENT.set(progress)
        try:
            return await super().execute_activity(input)
        finally:
            CURRENT.reset(telling)
            beating.cancel()


async def _beat(seconds: float, progress: Progress) -> None:
    while True:
        await asyncio.sleep(seconds)  # first: most are done before, and each beat is a write on the server
        activity.heartbeat(*progress.details)
