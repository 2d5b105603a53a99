"""What a recorded deliberation costs over a bare workflow of as many activities on the same server."""

import asyncio
import statistics
import time
import uuid
from collections.abc import Awaitable

from temporalio.api.common.v1 import Payloads
from temporalio.client import Client

from bench.bare import QUEUE, AsManyActivities
from bench.figure import Figure
from bench.stack import bare_worker, running
from domain.consensus.commands import OpenDeliberation, RecordedBallot, Voter
from workers.temporal_client import connect
from workflows import names
from workflows.consensus import ReachConsensus

PAIRS = 60
WARM = 10


def figures() -> list[Figure]:
    """Both, in turns, on a stack of its own."""
    with running() as stack, bare_worker("bench.bare", stack):
        return asyncio.run(_against_bare(connect(stack.settings)))


def deliberation() -> OpenDeliberation:
    """Five recorded voters, four of whom agree: decided in round one."""
    voters = tuple(
        Voter(f"voter-{number}", ballots=(RecordedBallot("yes" if number else "no", confidence=0.8),))
        for number in range(5)
    )
    return OpenDeliberation(
        id=f"bench-{uuid.uuid4().hex[:16]}", question="Is it so?", options=("yes", "no"), voters=voters
    )


async def decide(client: Client) -> str:
    """Hold one deliberation; its workflow's id."""
    request = deliberation()
    stream = names.consensus_stream(request.id)
    await client.execute_workflow(ReachConsensus.run, request, id=stream, task_queue=names.TASK_QUEUE)
    return stream


async def _against_bare(connecting: Awaitable[Client]) -> list[Figure]:
    client = await connecting
    sizes, returned = await _bytes_of(client, await decide(client))
    ours, bare = [], []
    for _ in range(WARM):
        await decide(client)
        await _nothing(client, sizes, returned)
    for _ in range(PAIRS):
        ours.append(await _timed(decide(client)))
        bare.append(await _timed(_nothing(client, sizes, returned)))
    ratio = statistics.median(o / b for o, b in zip(ours, bare, strict=True))
    note = f"activities of a deliberation: {len(sizes)}, given {sum(sizes):,} bytes; result {returned:,}"
    return [
        Figure("bare workflow of as many activities, p50", 1000 * statistics.median(bare), "ms", note=note),
        Figure("recorded deliberation, 5 voters, p50", 1000 * statistics.median(ours), "ms"),
        Figure("deliberation over bare workflow", ratio, "times", 1.3, "<=", f"median of {PAIRS} pairs"),
    ]


async def _bytes_of(client: Client, workflow_id: str) -> tuple[list[int], int]:
    """How many bytes each activity of a workflow was given, in order, and its result has: by its history."""
    history = await client.get_workflow_handle(workflow_id).fetch_history()
    scheduled = [
        event.activity_task_scheduled_event_attributes.input
        for event in history.events
        if event.HasField("activity_task_scheduled_event_attributes")
    ]
    result = history.events[-1].workflow_execution_completed_event_attributes.result
    return [_size(given) for given in scheduled], _size(result)


def _size(payloads: Payloads) -> int:
    return sum(len(payload.data) for payload in payloads.payloads)


async def _timed(work: Awaitable[object]) -> float:
    started = time.perf_counter()
    await work
    return time.perf_counter() - started


async def _nothing(client: Client, sizes: list[int], returned: int) -> None:
    await client.execute_workflow(
        AsManyActivities.run, args=[sizes, returned], id=uuid.uuid4().hex, task_queue=QUEUE
    )
