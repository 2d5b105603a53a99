"""Replays a workflow's history against today's code: the same decisions, or the event where they part."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer

from workflows import names, sandbox
from workflows.consensus import ReachConsensus
from workflows.docket import DecideDocket
from workflows.payloads import CONVERTER
from workflows.refusals import Refusals
from workflows.unknown import UnknownWorkflow

WORKFLOWS: tuple[type[Any], ...] = (ReachConsensus, DecideDocket, UnknownWorkflow)
Progress = Callable[[int, int], None]
_OURS = f"WorkflowType = '{names.REACH_CONSENSUS}' OR WorkflowType = '{names.DECIDE_DOCKET}'"


def replayer(workflows: tuple[type[Any], ...] = WORKFLOWS) -> Replayer:
    """A replayer with the converter, interceptor and sandbox of the orchestrator; it needs no server."""
    return Replayer(
        workflows=workflows,
        data_converter=CONVERTER,
        interceptors=[Refusals()],
        workflow_runner=sandbox.runner(),
    )


@dataclass(slots=True)
class Histories:
    """What replaying came to. `gone`: workflows whose history Temporal no longer keeps."""

    replayed: int = 0
    gone: int = 0
    divergent: dict[str, str] = field(default_factory=dict)


async def replay_histories(client: Client, workflow_id: str | None, progress: Progress) -> Histories:
    """Replay the history of one workflow, or of all of ours that Temporal keeps, against today's code.

    An item of a docket has no workflow of its own: its docket's is replayed.
    """
    found, replaying = Histories(), replayer()
    ids = [_writer(workflow_id)] if workflow_id else [run.id async for run in client.list_workflows(_OURS)]
    for done, name in enumerate(ids, start=1):
        try:
            history = await client.get_workflow_handle(name).fetch_history()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            found.gone += 1
            continue
        result = await replaying.replay_workflow(history, raise_on_replay_failure=False)
        if result.replay_failure is not None:
            found.divergent[name] = " ".join(str(result.replay_failure).split())
        found.replayed += 1
        progress(done, len(ids))
    return found


def _writer(stream: str) -> str:
    category, _, name = stream.partition("/")
    docket, dot, _ = name.partition(".")
    return f"docket/{docket}" if category == "consensus" and dot else stream
