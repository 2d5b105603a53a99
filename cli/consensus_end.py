"""How a workflow ended that brought no outcome: of one that was terminated, only Temporal knows."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.exceptions import ApplicationError, CancelledError, TerminatedError

from domain.stream import ITEM_ID
from domain.strict_json import printable

_ENDED = {
    WorkflowExecutionStatus.TERMINATED: "terminated",
    WorkflowExecutionStatus.CANCELED: "cancelled",
    WorkflowExecutionStatus.FAILED: "failed",
    WorkflowExecutionStatus.TIMED_OUT: "timed out",
}
_ASKED_AT_ONCE = 100


async def ended(handle: WorkflowHandle[Any, Any]) -> str | None:
    """How it ended, if it did without an outcome."""
    return _ENDED.get((await handle.describe()).status or WorkflowExecutionStatus.RUNNING)


async def ended_of(client: Client, streams: Iterable[str]) -> dict[str, str]:
    """How the newest workflow of each of `streams` ended, of those that ended without an outcome."""
    # A stream's name may come from whoever wrote to the log: one that is no workflow's id is not asked after.
    known = iter([stream for stream in streams if ITEM_ID.fullmatch(stream.partition("/")[2])])
    newest: dict[str, WorkflowExecutionStatus | None] = {}
    for some in _chunks(known):
        names = ", ".join(f"'{stream}'" for stream in some)
        async for run in client.list_workflows(f"WorkflowId IN ({names})"):
            newest.setdefault(run.id, run.status)
    return {stream: _ENDED[status] for stream, status in newest.items() if status in _ENDED}


def line(error: BaseException | None) -> str:
    """Why a workflow has no result, in words."""
    match error:
        case CancelledError():
            return "it was cancelled, and is withdrawn: nothing more is decided"
        case TerminatedError():
            return "it was terminated: no outcome is on the log, and none will follow"
        case ApplicationError():
            return printable(error.message, 400)
        case _:
            return printable(str(error), 400)


def _chunks(streams: Iterator[str]) -> Iterator[Sequence[str]]:
    while some := list(islice(streams, _ASKED_AT_ONCE)):
        yield some
