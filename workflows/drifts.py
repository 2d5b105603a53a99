"""Looks for a drift after each observation, and carries out what the policy makes of one."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

from activities.drift import CycleWanted, Drift, DriftLook
from domain.learning.versions.commands import DriftFound
from domain.learning.versions.events import DriftDetected
from domain.learning.versions.state import ModelState
from workflows.heartbeats import ALIVE

_PATIENCE = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_attempts=10)


async def look(state: ModelState) -> DriftFound | None:
    """Whether the newest losses have risen."""
    found: DriftFound | None = await workflow.execute_activity_method(
        Drift.detect_drift,
        DriftLook(state.window, state.policy.delta),
        start_to_close_timeout=timedelta(seconds=60),
        heartbeat_timeout=ALIVE,
        retry_policy=_PATIENCE,
        summary=f"look for a drift in {len(state.window)} losses",
    )
    return found


async def act_on(state: ModelState, drift: DriftDetected) -> None:
    """Start the cycle that the policy asks for; a roll-back was recorded with the drift."""
    if drift.then != "cycle":
        return
    await workflow.execute_activity_method(
        Drift.start_cycle,
        CycleWanted(state.model, f"{state.model}-{state.last_id}", state.policy.cycle),
        start_to_close_timeout=timedelta(seconds=20),
        heartbeat_timeout=ALIVE,
        retry_policy=_PATIENCE,
        summary="train again",
    )
