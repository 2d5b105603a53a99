"""What a case that climbs all four levels costs over bare workflows and activities of the same steps."""

import asyncio
import statistics
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator

from temporalio.api.common.v1 import Payloads
from temporalio.client import Client

from bench.bare_case import QUEUE, SameSteps, Step
from bench.family import processor_seconds
from bench.figure import Figure
from bench.stack import Stack, bare_worker, running
from domain.conflict.case import Position
from domain.conflict.commands import OpenCase
from domain.conflict.levels import FINAL, LEVELS
from domain.conflict.policy import ConflictPolicy
from domain.consensus.commands import RecordedBallot, Voter
from workers.temporal_client import connect
from workflows import names
from workflows.conflict import ResolveConflict

ROUNDS = 20
WARM = 3
TRAILING = 0.5  # seconds in which what a case left to project is done, and counted as its own
Seconds = dict[str, list[float]]
Once = Callable[[], Awaitable[object]]


def figures(rounds: int = ROUNDS) -> list[Figure]:
    """Both, in turns, on a stack of its own."""
    with running() as stack, bare_worker("bench.bare_case", stack) as worker:
        return asyncio.run(_against_bare(stack, worker, rounds))


def case() -> OpenCase:
    """A case whose rule cannot merge, and whose panels of levels 2 and 3 disagree: the court decides."""
    positions = tuple(Position(f"p-{n}", f"writer-{n}", f'{{"beds": {n}}}', region="eu") for n in (7, 9))
    policy = ConflictPolicy(
        local_appeal_seconds=0,
        regional_appeal_seconds=0,
        global_appeal_seconds=0,
        annulment_seconds=0,
        max_rounds=1,
        weighting="equal",
    )
    return OpenCase(
        id=f"bench-{uuid.uuid4().hex[:16]}",
        question="How many beds are free?",
        regions=("eu",),
        positions=positions,
        kind="concurrent_write",
        layer="situational",
        severity=0.3,
        topic="bench",
        members=tuple(_members()),
        policy=policy,
    )


def _members() -> Iterator[Voter]:
    """As many as there are seats; who has no region sits at level 4 only, so that no draw matters."""
    for number, region in enumerate([*["eu"] * 3, *["us", "asia"] * 4][:10]):
        choice = (None, "p-7", "p-9")[number % 3]
        yield Voter(f"m{number}", region=region, ballots=(RecordedBallot(choice, confidence=0.8),))
    for number in range(LEVELS[-1].seats):
        yield Voter(f"judge-{number}", ballots=(RecordedBallot("p-7", confidence=0.8),))


async def _against_bare(stack: Stack, bare_worker: int, rounds: int) -> list[Figure]:
    client = await connect(stack.settings)
    stream = await _resolve(client)
    whole = await steps_of(client, stream)

    async def ours() -> None:
        await _resolve(client)

    async def bare() -> None:
        args = [whole, "x" * whole.given]
        await client.execute_workflow(SameSteps.run, args=args, id=uuid.uuid4().hex, task_queue=QUEUE)

    seconds: Seconds = {"ours": [], "bare": []}
    spent = {"ours": 0.0, "bare": 0.0}
    for number in range(WARM + rounds):
        for name, once in (("ours", ours), ("bare", bare)):
            before = _processor(stack, bare_worker)
            took = await _timed(once)
            await asyncio.sleep(TRAILING)
            if number >= WARM:
                seconds[name].append(took)
                spent[name] += _processor(stack, bare_worker) - before
    return told(whole, seconds, spent)


def told(whole: Step, seconds: Seconds, spent: dict[str, float]) -> list[Figure]:
    ratios = [o / b for o, b in zip(seconds["ours"], seconds["bare"], strict=True)]
    panels = [step for step in whole.steps if step.name]
    activities = sum(not step.name for step in whole.steps) + sum(len(step.steps) for step in panels)
    note = f"{len(panels)} child workflows, {activities} activities"
    bare, ours = (1000 * statistics.median(seconds[name]) for name in ("bare", "ours"))
    return [
        Figure("bare workflows and activities of a case, p50", bare, "ms", note=note),
        Figure("case of level 1 to 4, recorded voters, p50", ours, "ms"),
        Figure(
            "case over bare workflows",
            statistics.median(ratios),
            "times",
            1.3,
            "<=",
            f"median of {len(ratios)} pairs",
        ),
        Figure(
            "the same in processor time", spent["ours"] / spent["bare"], "times", note="of the whole stack"
        ),
    ]


async def _resolve(client: Client) -> str:
    request = case()
    stream = names.conflict_stream(request.id)
    run = ResolveConflict.run
    result = await client.execute_workflow(run, request, id=stream, task_queue=names.TASK_QUEUE)
    if (result.level_used, result.escalations) != (FINAL, FINAL - 1):
        raise RuntimeError(f"{stream} was to climb from level 1 to {FINAL}, and came to {result}")
    return stream


async def steps_of(client: Client, workflow_id: str) -> Step:
    """What a workflow did, by its history: its activities and children in order, and their sizes."""
    history = (await client.get_workflow_handle(workflow_id).fetch_history()).events
    given = {event.event_id: event for event in history}
    steps: list[Step] = []
    for event in history:
        if event.HasField("activity_task_completed_event_attributes"):
            done = event.activity_task_completed_event_attributes
            asked = given[done.scheduled_event_id].activity_task_scheduled_event_attributes
            steps.append(Step(_size(asked.input), _size(done.result)))
        if event.HasField("child_workflow_execution_completed_event_attributes"):
            ended = event.child_workflow_execution_completed_event_attributes
            begun = given[ended.initiated_event_id].start_child_workflow_execution_initiated_event_attributes
            inner = await steps_of(client, begun.workflow_id)
            steps.append(Step(_size(begun.input), _size(ended.result), f"child-{len(steps)}", inner.steps))
    first, last = history[0].workflow_execution_started_event_attributes, history[-1]
    result = last.workflow_execution_completed_event_attributes.result
    return Step(_size(first.input), _size(result), "whole", steps)


def _size(payloads: Payloads) -> int:
    return sum(len(payload.data) for payload in payloads.payloads)


def _processor(stack: Stack, bare_worker: int) -> float:
    return sum(sum(processor_seconds(root).values()) for root in (stack.process.pid, bare_worker))


async def _timed(once: Once) -> float:
    started = time.perf_counter()
    await once()
    return time.perf_counter() - started
