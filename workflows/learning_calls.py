"""What a cycle asks of the orchestrator's activities, each with its patience."""

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.learning import Learning
    from activities.learning_tasks import (
        AggregatedRound,
        AggregateRound,
        DrawnRound,
        DrawRound,
        KeepReports,
        PrepareCycle,
        Prepared,
        Publish,
    )
    from activities.privacy.port import OVERSPENT
    from domain.artifact import ArtifactRef
    from domain.learning.commands import RunCycle
    from domain.learning.events import Report
    from domain.learning.state import Cycle
    from domain.learning.versions.lineage import digest_of
    from domain.refusal import ImpossibleEvent
    from workflows.heartbeats import ALIVE
    from workflows.learning_hosts import PATIENCE

INLINE = 400
"""Reports that fit one payload, of about 220 bytes each."""


async def prepare(request: RunCycle) -> Prepared:
    """What the cycle opens with.

    Raises:
        ActivityError: the request is refused.
    """
    return await workflow.execute_activity_method(
        Learning.prepare_cycle,
        PrepareCycle(request, workflow.now()),
        start_to_close_timeout=timedelta(minutes=10),
        heartbeat_timeout=ALIVE,
        retry_policy=PATIENCE,
        summary="look at the request, the fleet and the model it goes on from",
    )


async def draw(state: Cycle) -> DrawnRound:
    """The cohort of the next attempt.

    Raises:
        ActivityError: none can be drawn as the fleet is now.
    """
    last = state.aggregated
    clip = None if last is None else last.privacy.clip
    asked = DrawRound(state.cycle, state.next_round, state.next_attempt, clip)
    return await workflow.execute_activity_method(
        Learning.draw_round,
        asked,
        start_to_close_timeout=timedelta(minutes=5),
        heartbeat_timeout=ALIVE,
        retry_policy=PATIENCE,
        summary=f"draw the cohort of round {asked.round}, attempt {asked.attempt}",
    )


def is_small(error: ActivityError) -> bool:
    """Whether no cohort could be drawn because of the fleet as it is, which may be another one soon.

    A budget that would be passed is none of that: nobody is given it back.
    """
    cause = error.cause
    if not isinstance(cause, ApplicationError) or not cause.non_retryable:
        return False
    return not cause.message.startswith(f"{OVERSPENT}: ")


async def passed_on(reports: tuple[Report, ...]) -> tuple[tuple[Report, ...], tuple[ArtifactRef, ...]]:
    """Few as they are; many by reference."""
    if len(reports) <= INLINE:
        return reports, ()
    kept = [
        await workflow.execute_activity_method(
            Learning.keep_reports,
            KeepReports(reports[start : start + INLINE]),
            start_to_close_timeout=timedelta(minutes=1),
            heartbeat_timeout=ALIVE,
            retry_policy=PATIENCE,
            summary="put reports aside",
        )
        for start in range(0, len(reports), INLINE)
    ]
    return (), tuple(kept)


async def aggregate(task: AggregateRound, updates: int) -> AggregatedRound:
    """The next model, of so many updates.

    Raises:
        ActivityError: the cycle cannot go on.
    """
    return await workflow.execute_activity_method(
        Learning.aggregate_round,
        task,
        start_to_close_timeout=timedelta(hours=2),
        heartbeat_timeout=ALIVE,
        retry_policy=PATIENCE,
        summary=f"aggregate {updates} updates by {task.opening.request.strategy.name}",
    )


async def publish(state: Cycle) -> str:
    """The version that the last model was published as.

    Raises:
        ActivityError: the keeper of versions refuses it.
    """
    last = state.aggregated
    if last is None:
        raise ImpossibleEvent("rounds", "there is no model to publish")
    return await workflow.execute_activity_method(
        Learning.publish_model,
        Publish(
            state.cycle,
            last.model,
            last.digest,
            len(state.participants),
            state.lineage,
            state.figures,
            digest_of(state.participants),
        ),
        start_to_close_timeout=timedelta(minutes=5),
        heartbeat_timeout=ALIVE,
        retry_policy=PATIENCE,
        summary=f"publish {state.cycle.request.model}",
    )
