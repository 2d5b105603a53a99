"""What Temporal says of the workflows of cases."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from workflows import names

_TOGETHER = 20  # questions at once
_ANSWER_WITHIN = timedelta(seconds=10)


async def statuses(client: Client, cases: Sequence[str]) -> dict[str, WorkflowExecutionStatus | None]:
    """How the workflow of each case stands; None for one that Temporal does not know."""
    found: dict[str, WorkflowExecutionStatus | None] = {}
    for first in range(0, len(cases), _TOGETHER):
        some = cases[first : first + _TOGETHER]
        found |= zip(some, await asyncio.gather(*(_status(client, case) for case in some)), strict=True)
    return found


async def running(client: Client) -> AsyncIterator[str]:
    """The cases that reactors have started, as far as Temporal lists them."""
    query = f'WorkflowType = "{names.RESOLVE_CONFLICT}" AND ExecutionStatus = "Running"'
    async for one in client.list_workflows(query):
        if one.id.startswith("conflict/c-"):
            yield one.id


async def _status(client: Client, case: str) -> WorkflowExecutionStatus | None:
    try:
        return (await client.get_workflow_handle(case).describe(rpc_timeout=_ANSWER_WITHIN)).status
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise
