"""Temporal Schedules: each model may have one, which starts its cycle again and again."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleHandle,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
)
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from domain.learning.commands import RunCycle
from domain.refusal import Refusal
from domain.stream import check_id
from workflows import names

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)  # from where Temporal counts
LEAST, MOST = timedelta(minutes=1), timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Cadence:
    """A model's schedule: what it starts, how often, when next; `paused` and why."""

    model: str
    every: timedelta
    paused: bool
    note: str
    next_at: datetime | None
    started: int


def schedule_id(model: str) -> str:
    """The id of a model's schedule."""
    check_id(model, "model")
    return f"learning.{model}"


async def schedule(client: Client, request: RunCycle, every: timedelta) -> bool:
    """Start `request` now and every so often; False where the model had a schedule, which now is this one.

    One that stood before starts nothing now, and stays paused if it was. Cycles of one schedule do not
    overlap: one that is due while another runs is left out.

    Raises:
        Refusal: `every` is out of range.
    """
    if not LEAST <= every <= MOST:
        raise Refusal("--every", f"{every} is outside 1 minute to 366 days")
    made = _made(request, every)
    try:
        await client.create_schedule(schedule_id(request.model), made, trigger_immediately=True)
    except ScheduleAlreadyRunningError:
        handle = client.get_schedule_handle(schedule_id(request.model))
        await handle.update(lambda old: ScheduleUpdate(_kept(made, old.description.schedule.state)))
        return False
    return True


async def unschedule(client: Client, model: str) -> None:
    """Delete the model's schedule; a cycle that runs goes on.

    Raises:
        Refusal: there is none.
    """
    await _with(client, model, "delete")


async def pause(client: Client, model: str, note: str) -> None:
    """Start nothing until it is resumed; `note` is shown."""
    await _with(client, model, "pause", note=note)


async def resume(client: Client, model: str, note: str) -> None:
    """Go on with the cadence."""
    await _with(client, model, "unpause", note=note)


async def describe(client: Client, model: str) -> Cadence | None:
    """The model's schedule, or None."""
    try:
        found = await client.get_schedule_handle(schedule_id(model)).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise
    state, spec = found.schedule.state, found.schedule.spec
    times = found.info.next_action_times
    return Cadence(
        model=model,
        every=spec.intervals[0].every if spec.intervals else timedelta(0),
        paused=state.paused,
        note=state.note or "",
        next_at=times[0] if times else None,
        started=found.info.num_actions,
    )


class TemporalCycles:
    """The port `Cycles`: what a drift starts."""

    def __init__(self, client: Client, task_queue: str = names.TASK_QUEUE) -> None:
        self._client = client
        self._queue = task_queue

    async def start(self, request: RunCycle, key: str) -> None:
        """See `activities.learning_ports.Cycles`."""
        try:
            await self._client.start_workflow(
                names.RUN_LEARNING_CYCLE,
                replace(request, scheduled=True),
                id=f"drift/{key}",
                task_queue=self._queue,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                static_summary=f"{request.model} has drifted",
            )
        except WorkflowAlreadyStartedError:
            return  # by the attempt before

    async def trigger(self, model: str) -> None:
        """See `activities.learning_ports.Cycles`."""
        await _with(self._client, model, "trigger", overlap=ScheduleOverlapPolicy.SKIP)


async def _with(client: Client, model: str, what: str, **options: object) -> None:
    handle: ScheduleHandle = client.get_schedule_handle(schedule_id(model))
    try:
        await getattr(handle, what)(**options)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        raise Refusal(
            "MODEL", f"{model} has no schedule; `moot learn start FILE --every 7d` makes it"
        ) from None


def _made(request: RunCycle, every: timedelta) -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(
            names.RUN_LEARNING_CYCLE,
            replace(request, scheduled=True),
            id=f"schedule/{request.model}",  # Temporal adds the time
            task_queue=names.TASK_QUEUE,
            static_summary=f"{request.model}, on schedule",
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every, (datetime.now(UTC) - _EPOCH) % every)]),
        policy=SchedulePolicy(
            overlap=ScheduleOverlapPolicy.SKIP, catchup_window=max(every, timedelta(hours=1))
        ),
    )


def _kept(made: Schedule, state: ScheduleState) -> Schedule:
    made.state = state  # one that was paused stays so
    return made


async def inputs(client: Client) -> list[bytes]:
    """What every schedule would start its workflow with, as Temporal keeps it."""
    found: list[bytes] = []
    async for listed in await client.list_schedules():
        action = (await client.get_schedule_handle(listed.id).describe()).schedule.action
        if isinstance(action, ScheduleActionStartWorkflow):
            found += [bytes(getattr(one, "data", b"")) for one in action.args]
    return found
