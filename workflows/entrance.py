"""One workflow for each stream, whatever id it was started under."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from domain.refusal import Refusal

W = TypeVar("W")
A = TypeVar("A")
R = TypeVar("R")


async def hand_over(run: Callable[[W, A], Awaitable[R]], request: A, stream: str) -> R:
    """Let the workflow whose id is `stream` do the work; this one was started under another id.

    The Temporal UI and CLI invent ids. Temporal keeps one run per id, which makes that run the one writer of
    the stream; so a second start of the same question is refused by Temporal itself.

    Raises:
        Refusal: the stream has, or had, its workflow.
    """
    workflow.set_current_details(f"handed over to the workflow `{stream}`: look and vote there")
    try:
        return await workflow.execute_child_workflow(
            run,
            request,
            id=stream,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            static_summary=f"{stream}, started as {workflow.info().workflow_id}",
        )
    except WorkflowAlreadyStartedError:
        raise Refusal("id", f"{stream} is being or was decided already; choose another id") from None
