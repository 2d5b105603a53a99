"""Whoever waits for a workflow is told when it waits itself: for which step, and why."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from cli import output
from domain.strict_json import printable
from workflows.names import node_queue

LOOK_SECONDS = 1.0
TOO_LONG = 5.0  # seconds that a step may take, or lie there, before it is worth a word
_ANSWER = timedelta(seconds=3)
_LONGEST_WHY = 240
_LONGEST_NAME = 60
_UNTAKEN = "no worker goes on with it; does `moot worker orchestrator` run?"


@asynccontextmanager
async def told(handle: WorkflowHandle[Any, Any], again: str) -> AsyncIterator[None]:
    """For the length of a block, say on stderr what the workflow waits for, and that it goes on.

    `again` is the command that waits for it again: it is named when the block is interrupted.
    """
    looking = asyncio.create_task(Waiting(handle).keep_looking())
    try:
        yield
    except asyncio.CancelledError:
        output.say(f"moot: {handle.id} goes on; wait for it again with `{again}`")
        raise
    finally:
        looking.cancel()


class Waiting:
    """What one workflow waits for; one line when it begins, one when the reason is known, one at the end."""

    def __init__(self, handle: WorkflowHandle[Any, Any]) -> None:
        self._handle = handle
        self._since: dict[str, float] = {}
        self._said = ""

    async def keep_looking(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Ask once, and say what has changed."""
        self._say(await self._found())

    async def _found(self) -> tuple[str, str] | None:
        """What is slow or fails, as a key that stays the same while it lasts, and in words."""
        try:
            seen = await self._handle.describe(rpc_timeout=_ANSWER)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None  # whoever waits is told by the answer to its own question
            return "temporal", f"Temporal does not answer ({printable(error.message, _LONGEST_WHY)})"
        return self._reason(seen.raw_description, time.monotonic())

    def _reason(self, seen: DescribeWorkflowExecutionResponse, now: float) -> tuple[str, str] | None:
        failing = [step for step in seen.pending_activities if step.last_failure.message]
        if failing:
            return "failing", _failed(max(failing, key=lambda step: step.attempt))
        words = {f"{step.activity_id} {step.attempt}": _slow(step) for step in seen.pending_activities}
        if seen.HasField("pending_workflow_task"):
            task = seen.pending_workflow_task
            if task.attempt > 1:  # it was given to a worker, which let the time pass
                return "slow", _UNTAKEN
            words[str(task.scheduled_time)] = _UNTAKEN
        self._since = {step: self._since.get(step, now) for step in words}
        slow = [step for step, since in self._since.items() if now - since >= TOO_LONG]
        return ("slow", words[slow[0]]) if slow else None

    def _say(self, found: tuple[str, str] | None) -> None:
        kind, words = found or ("", "")
        if kind == self._said or (kind == "slow" and self._said):  # a next try says less than the last fault
            return
        if words:
            output.say(f"moot: {self._handle.id} waits: {words}")
        else:
            output.say(f"moot: {self._handle.id} goes on")
        self._said = kind


def _failed(step: PendingActivityInfo) -> str:
    failure = step.last_failure
    if failure.HasField("server_failure_info") and failure.HasField("cause"):
        failure = failure.cause  # it was too long for Temporal, which put a shorter one under another name
    why = printable(failure.message, _LONGEST_WHY)
    until = "it succeeds"
    if step.HasField("expiration_time"):
        until = f"{step.expiration_time.ToDatetime():%H:%M:%S} UTC at most"
    return f"{_named(step)} failed, {why}; it is tried again until {until}"


def _slow(step: PendingActivityInfo) -> str:
    if step.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED:
        who = node_of(step)
        runs = f"the node {printable(who, _LONGEST_NAME)}" if who else "`moot worker orchestrator`"
        return f"no worker took on {step.activity_type.name} in {TOO_LONG:g} s; does {runs} run?"
    return f"{_named(step)} has not ended in {TOO_LONG:g} s"


def _named(step: PendingActivityInfo) -> str:
    who = node_of(step)
    return step.activity_type.name + (f" on {printable(who, _LONGEST_NAME)}" if who else "")


def node_of(step: PendingActivityInfo) -> str:
    """The node that is asked; empty where the orchestrator is."""
    queue, own = step.activity_options.task_queue.name, node_queue("")
    return queue.removeprefix(own) if queue.startswith(own) else ""
