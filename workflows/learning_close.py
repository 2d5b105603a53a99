"""Has the secrets of an attempt forgotten, once its end is on record."""

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.learning import Learning
    from activities.learning_tasks import CloseAttempt, HostClients
    from activities.training import Training
    from domain.artifact import ArtifactRef
    from workflows.heartbeats import ALIVE
    from workflows.learning_hosts import PATIENCE
    from workflows.names import node_queue

CLOSES = "attempts-are-closed"
"""Cycles that began before attempts were closed go on as they were."""
SOON = timedelta(seconds=10)
"""For a host to pick it up and do it; one that is away keeps its keys, and nobody waits for it."""


async def close(session: ArtifactRef, hosts: Sequence[HostClients]) -> None:
    """Ask the aggregator and every host; safe to repeat, and nothing depends on whether it was done."""
    aggregator = workflow.execute_activity_method(
        Learning.close_attempt,
        CloseAttempt(session),
        schedule_to_close_timeout=timedelta(minutes=1),
        heartbeat_timeout=ALIVE,
        retry_policy=PATIENCE,
        summary="forget the keys of the attempt",
    )
    on_hosts = (
        workflow.execute_activity_method(
            Training.close_attempt,
            CloseAttempt(session, one.clients),
            task_queue=node_queue(one.host),
            schedule_to_start_timeout=SOON,
            schedule_to_close_timeout=2 * SOON,
            heartbeat_timeout=ALIVE,
            retry_policy=PATIENCE,
            summary=f"{len(one.clients)} of {one.host} forget the keys of the attempt",
        )
        for one in hosts
    )
    await asyncio.gather(*map(_tried, (aggregator, *on_hosts)))


async def _tried(asked: Coroutine[Any, Any, None]) -> None:
    try:
        await asked
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
