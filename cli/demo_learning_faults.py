"""What is done to the demo's processes while cycles run: killed hard, kept down, replaced by liars."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator

from temporalio.api.enums.v1 import EventType

from activities.privacy.methods import SECURE_MPC
from cli.demo_consensus import Demo
from cli.demo_learning_fleet import Fleet
from cli.demo_learning_runs import Handle, Rounds
from cli.demo_waiting import until
from domain.refusal import Refusal
from workers.embedded import stackfile
from workflows.names import node_queue

KILLED_IN, KILLED = 3, "us-01"
DROPOUTS = ("eu-00", "us-13")
LIARS = (*DROPOUTS, "ap-05", "ap-17")
_SCHEDULED = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
_COMPLETED = EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED


class Faults:
    """Done to the processes of `fleet`, and to the stack's orchestrator."""

    def __init__(self, demo: Demo, fleet: Fleet) -> None:
        self._demo, self._fleet = demo, fleet

    async def in_the_middle(self, rounds: Rounds) -> None:
        """Kill the orchestrator and a node, whatever they do just then; both are started again."""
        while rounds.number < KILLED_IN:  # noqa: ASYNC110 # a table gives no signal
            await asyncio.sleep(0.02)
        stack = stackfile.read(self._demo.settings.data) or {}
        orchestrator = int(stack["parts"]["orchestrator"]["pid"])
        os.kill(orchestrator, signal.SIGKILL)
        node = self._fleet.kill(KILLED)
        self._demo.say(
            f"     kill -9 in round {rounds.number}: orchestrator (pid {orchestrator}), {KILLED} (pid {node})"
        )
        await self._back(KILLED, node)
        self._demo.say(f"     {KILLED} is back (pid {self._fleet.pids()[KILLED]})")

    async def dropouts(self, rounds: Rounds, last: int) -> None:
        """In round `last` kill two nodes, each as soon as it has dealt its shares; they stay down."""
        waiting = set(DROPOUTS)
        async for name in _dealt(rounds.handle, last):
            if name in waiting:
                waiting.remove(name)
                self._fleet.hold(name, down=True)
                pid = self._fleet.kill(name)
                self._demo.say(f"     kill -9 in round {last}, shares dealt: {name} (pid {pid})")
            if not waiting:
                return
        raise Refusal(
            "demo learning", f"the cycle ended, and {', '.join(waiting)} had not dealt in round {last}"
        )

    async def taken_over(self) -> None:
        """Have the dropouts and two more started as processes that lie, with the same names and keys."""
        before = self._fleet.pids()
        for name in LIARS:
            self._fleet.lie(name)
            if name in before:
                self._fleet.kill(name)
            self._fleet.hold(name, down=False)
        for name in LIARS:
            await self._back(name, before.get(name, 0))

    async def _back(self, name: str, before: int) -> None:
        async def at_work() -> bool:
            return self._fleet.pids().get(name, before) != before and self._fleet.ready(name)

        await until(f"{name} to be back", at_work)


async def _dealt(handle: Handle, last: int) -> AsyncIterator[str]:
    """The nodes whose messages before training were all handed in, in round `last`, one after the other."""
    before = len(SECURE_MPC.before)
    wanted = (last - 1) * (before + len(SECURE_MPC.after)) + before
    queues: dict[int, str] = {}
    answered: Counter[str] = Counter()
    async for event in handle.fetch_history_events(wait_new_event=True):
        if event.event_type == _SCHEDULED:
            asked = event.activity_task_scheduled_event_attributes
            if asked.activity_type.name == "exchange":
                queues[event.event_id] = asked.task_queue.name
        elif event.event_type == _COMPLETED:
            queue = queues.get(event.activity_task_completed_event_attributes.scheduled_event_id)
            if queue is not None:
                answered[queue] += 1
                if answered[queue] == wanted:
                    yield queue.removeprefix(node_queue(""))
