"""Workflows that keep a stream for ever: one that somebody has ended is not begun anew."""

import contextlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from domain.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Keeper:
    """The `workflow` that keeps `stream`, begun with `request`; a refusal names its `field`."""

    field: str
    stream: str
    workflow: str
    request: object
    summary: str


async def tell(
    client: Client,
    task_queue: str,
    keeper: Keeper,
    update: str,
    command: object,
    *,
    answer: type[Any],
    within: timedelta,
) -> Any:
    """What the keeper answers to the update; it is begun where there has never been one.

    Raises:
        Refusal: somebody has ended it.
        WorkflowUpdateFailedError: it says no.
        RPCError: Temporal does not answer.
    """
    start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
        keeper.workflow,
        keeper.request,
        id=keeper.stream,
        task_queue=task_queue,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        static_summary=keeper.summary,
    )
    try:
        return await client.execute_update_with_start_workflow(
            update, command, start_workflow_operation=start, result_type=answer, rpc_timeout=within
        )
    except WorkflowAlreadyStartedError:
        with contextlib.suppress(WorkflowAlreadyStartedError):
            await start.workflow_handle()  # the operation says so too; unheard, it would be logged
        raise ended(keeper.field, keeper.stream) from None


def ended(field: str, stream: str) -> Refusal:
    """No other is begun in its place: that one would know of nothing that is on the record."""
    again = f"temporal workflow reset --workflow-id {stream} --type LastWorkflowTask --reason WHY"
    return Refusal(field, f"{stream} was ended; `{again}` lets it go on with what it knows")
