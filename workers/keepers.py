"""A workflow that keeps a stream for ever, and was ended by somebody."""

import contextlib
from typing import Any

from temporalio.client import WithStartWorkflowOperation
from temporalio.exceptions import WorkflowAlreadyStartedError

from domain.refusal import Refusal


def ended(field: str, stream: str) -> Refusal:
    """No other is begun in its place: that one would know of nothing that is on the record."""
    again = f"temporal workflow reset --workflow-id {stream} --type LastWorkflowTask --reason WHY"
    return Refusal(field, f"{stream} was ended; `{again}` lets it go on with what it knows")


async def not_begun(start: WithStartWorkflowOperation[Any, Any]) -> None:
    """Take what the operation says too of a workflow that was there before; unheard, it would be logged."""
    with contextlib.suppress(WorkflowAlreadyStartedError):
        await start.workflow_handle()
