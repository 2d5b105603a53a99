"""A canary is evaluated on the nodes that serve it; what comes in, or does not, goes to the domain."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from activities.evaluating import EvaluateVersion, Evaluating, PanelHost, Panels, PanelWanted
from domain.learning.versions import decide
from domain.learning.versions.commands import JudgeCanary
from domain.learning.versions.events import CanaryStarted, ModelEvent, Unheard
from domain.learning.versions.policy import EvaluateOn, HostEvaluation
from domain.learning.versions.state import ModelState
from domain.strict_json import printable
from workflows import names
from workflows.heartbeats import ALIVE

# A node that is away is missed after this long; one that is busy training may take a while to begin.
_BEGIN = timedelta(minutes=2)
_EVALUATE = timedelta(minutes=10)
_LOOK = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=10))
_TRIES = RetryPolicy(maximum_attempts=3)
_LONGEST = 200  # characters of a reason


@dataclass(frozen=True, slots=True)
class Due:
    """A canary that nodes can evaluate and have not yet."""

    canary: CanaryStarted
    on: EvaluateOn


def due(state: ModelState) -> Due | None:
    """The canary to evaluate, if there is one."""
    canary = state.canary
    if canary is None or state.evaluated is not None:
        return None
    on = state.version(canary.version).evaluation
    return Due(canary, on) if on is not None else None


def judged(state: ModelState, found: JudgeCanary) -> list[ModelEvent]:
    """What the policy makes of it; nothing where the canary was ended meanwhile, or another one is tried."""
    task = due(state)
    return [] if task is None or task.canary.version != found.version else decide.judge(state, found)


async def evaluate(state: ModelState, task: Due) -> JudgeCanary:
    """Ask the hosts that serve the canary, and wait for each, or until it is not to be had."""
    canary, now = task.canary, workflow.now()
    try:
        hosts = await _panel(state, task)
    except ActivityError as error:
        return JudgeCanary(canary.version, (), (Unheard("-", _why(error)),))
    if not hosts:
        return JudgeCanary(canary.version, (), (Unheard("-", "no host has the data set and the trainer"),))
    said = await asyncio.gather(*(_ask(state, task, host, now) for host in hosts))
    results = tuple(one for one in said if isinstance(one, HostEvaluation))
    return JudgeCanary(canary.version, results, tuple(one for one in said if isinstance(one, Unheard)))


async def _panel(state: ModelState, task: Due) -> tuple[PanelHost, ...]:
    canary = task.canary
    hosts: tuple[PanelHost, ...] = await workflow.execute_activity_method(
        Panels.canary_panel,
        PanelWanted(state.model, canary.version, canary.share, canary.seed, task.on),
        start_to_close_timeout=timedelta(seconds=20),
        heartbeat_timeout=ALIVE,
        retry_policy=_LOOK,
        summary=f"who evaluates {canary.version}",
    )
    return hosts


def _why(error: ActivityError) -> str:
    if is_cancelled_exception(error):
        raise error
    cause = error.cause
    return printable(cause.message if isinstance(cause, ApplicationError) else str(cause or error), _LONGEST)


async def _ask(state: ModelState, task: Due, host: PanelHost, now: datetime) -> HostEvaluation | Unheard:
    canary = task.canary
    try:
        return await workflow.execute_activity_method(
            Evaluating.evaluate_version,
            EvaluateVersion(
                host=host.host,
                clients=host.clients,
                canary=state.version(canary.version).artifact,
                former=state.version(canary.against).artifact,
                trainer=task.on.trainer,
                data=task.on.data.name,
                since=now - timedelta(days=task.on.data.days),
                until=now,
            ),
            task_queue=names.node_queue(host.host),
            schedule_to_start_timeout=_BEGIN,
            start_to_close_timeout=_EVALUATE,
            heartbeat_timeout=ALIVE,
            retry_policy=_TRIES,
            summary=f"{host.host} evaluates {canary.version} against {canary.against}",
        )
    except ActivityError as error:
        return Unheard(host.host, _why(error))
