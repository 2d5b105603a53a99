"""Replays a workflow's history against today's code: the same decisions, or the event where they part."""

from typing import Any

from temporalio.worker import Replayer

from workflows import sandbox
from workflows.consensus import ReachConsensus
from workflows.docket import DecideDocket
from workflows.payloads import CONVERTER
from workflows.refusals import Refusals
from workflows.unknown import UnknownWorkflow

WORKFLOWS: tuple[type[Any], ...] = (ReachConsensus, DecideDocket, UnknownWorkflow)


def replayer(workflows: tuple[type[Any], ...] = WORKFLOWS) -> Replayer:
    """A replayer with the converter, interceptor and sandbox of the orchestrator; it needs no server."""
    return Replayer(
        workflows=workflows,
        data_converter=CONVERTER,
        interceptors=[Refusals()],
        workflow_runner=sandbox.runner(),
    )
