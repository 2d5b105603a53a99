"""A worker that dies is missed within seconds, and one that is quick costs the server nothing."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor

from activities.progress import CURRENT
from workflows.heartbeats import Heartbeats


class Answering(ActivityInboundInterceptor):
    """An activity that answers once `enough` is set."""

    def __init__(self, enough: asyncio.Event) -> None:
        self._enough = enough

    async def execute_activity(self, input: Any) -> Any:  # noqa: A002 # the SDK's name
        for _ in range(5):
            await asyncio.sleep(0)  # an effect lets others run at least so often
        await self._enough.wait()
        return input


async def beats(within: timedelta | None, until: int) -> int:
    """How often an activity beat that answers after `until` beats."""
    enough, found = asyncio.Event(), 0
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, heartbeat_timeout=within)

    def beaten(*_details: Any) -> None:
        nonlocal found
        found += 1
        if found >= until:
            enough.set()

    environment.on_heartbeat = beaten
    if not until:
        enough.set()
    intercepted = Heartbeats().intercept_activity(Answering(enough))
    async with asyncio.timeout(20):
        assert await environment.run(intercepted.execute_activity, "answer") == "answer"
    return found


async def test_a_long_activity_beats_until_it_answers():
    assert await beats(timedelta(milliseconds=30), until=3) == 3


async def test_a_beat_carries_what_the_activity_said_last():
    said = asyncio.Queue()

    class Telling(ActivityInboundInterceptor):
        def __init__(self) -> None:
            pass

        async def execute_activity(self, input: Any) -> Any:  # noqa: A002 # the SDK's name
            CURRENT.get().details = ["c1", 3, 9]
            self.heard = await said.get()
            return input

    environment, telling = ActivityEnvironment(), Telling()
    environment.info = replace(environment.info, heartbeat_timeout=timedelta(milliseconds=30))
    environment.on_heartbeat = lambda *details: said.put_nowait(details)
    async with asyncio.timeout(20):
        await environment.run(Heartbeats().intercept_activity(telling).execute_activity, "answer")
    assert telling.heard == ("c1", 3, 9)
    assert CURRENT.get() is None


async def test_a_quick_activity_sends_no_beat():
    assert await beats(timedelta(seconds=5), until=0) == 0


async def test_without_a_heartbeat_timeout_nothing_beats():
    assert await beats(None, until=0) == 0
