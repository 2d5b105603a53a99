"""What a deliberation costs over a bare workflow of as many activities, and a docket over deliberations."""

import asyncio
import json
import random
import statistics
import subprocess
import sys
import time
import uuid

from temporalio.client import Client

from bench.bare import QUEUE, TwoActivities
from bench.figure import Figure
from bench.stack import MOOT, Stack
from domain.consensus.commands import OpenDeliberation, RecordedBallot, Voter
from workers.temporal_client import connect
from workflows import names
from workflows.consensus import ReachConsensus

PAIRS = 60
DOCKET_ITEMS = 10_000
SINGLE_ITEMS = 200
AT_ONCE = 20


async def measure(stack: Stack) -> list[Figure]:
    """Both costs, on one running stack."""
    client = await connect(stack.settings)
    worker = subprocess.Popen(  # noqa: ASYNC220 # nothing else runs while it starts
        [sys.executable, "-m", "bench.bare", stack.settings.temporal_address], stdout=subprocess.PIPE
    )
    try:
        if worker.stdout is not None:
            await asyncio.to_thread(worker.stdout.readline)
        single = await _against_bare(client)
    finally:
        worker.kill()
        worker.wait()
    return single + await _docket(stack, client)


def deliberation() -> OpenDeliberation:
    """Five recorded voters, four of whom agree: decided in round one."""
    voters = tuple(
        Voter(f"voter-{number}", ballots=(RecordedBallot("yes" if number else "no", confidence=0.8),))
        for number in range(5)
    )
    return OpenDeliberation(
        id=f"bench-{uuid.uuid4().hex[:16]}", question="Is it so?", options=("yes", "no"), voters=voters
    )


async def _against_bare(client: Client) -> list[Figure]:
    ours, bare = [], []
    for _ in range(10):
        await _decide(client)
        await _nothing(client)
    for _ in range(PAIRS):
        ours.append(await _timed(_decide(client)))
        bare.append(await _timed(_nothing(client)))
    ratio = statistics.median(o / b for o, b in zip(ours, bare, strict=True))
    return [
        Figure("bare workflow, two activities, p50", 1000 * statistics.median(bare), "ms"),
        Figure("recorded deliberation, 5 voters, p50", 1000 * statistics.median(ours), "ms"),
        Figure("deliberation over bare workflow", ratio, "times", 1.3, "<=", f"median of {PAIRS} pairs"),
    ]


async def _timed(work: "asyncio.Future[None] | asyncio.Task[None] | object") -> float:
    started = time.perf_counter()
    await work  # type: ignore[misc] # any awaitable
    return time.perf_counter() - started


async def _decide(client: Client) -> None:
    request = deliberation()
    await client.execute_workflow(
        ReachConsensus.run,
        request,
        id=names.consensus_stream(request.id),
        task_queue=names.TASK_QUEUE,
    )


async def _nothing(client: Client) -> None:
    await client.execute_workflow(TwoActivities.run, "x" * 2000, id=uuid.uuid4().hex, task_queue=QUEUE)


async def _docket(stack: Stack, client: Client) -> list[Figure]:
    table = stack.folder / "docket.csv"
    table.write_text(_table(DOCKET_ITEMS))
    rates = [await asyncio.to_thread(_decided_per_second, stack, table) for _ in range(3)]
    rate = statistics.median(rates)
    room = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with room:
            await _decide(client)

    started = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(SINGLE_ITEMS)))
    single = SINGLE_ITEMS / (time.perf_counter() - started)
    note = f"median of 3, {DOCKET_ITEMS:,} items x 5 ballots, `moot decide` from start to printed results"
    return [
        Figure("docket", rate, "items/s", 1000, ">=", note),
        Figure("one workflow per item", single, "items/s", note=f"{SINGLE_ITEMS} items, {AT_ONCE} at once"),
        Figure("docket over one workflow per item", rate / single, "times", 20),
    ]


def _decided_per_second(stack: Stack, table: "object") -> float:
    started = time.perf_counter()
    done = subprocess.run(
        [MOOT, "decide", str(table), "--json"], cwd=stack.folder, capture_output=True, check=True
    )
    seconds = time.perf_counter() - started
    return len(json.loads(done.stdout)["items"]) / seconds


def _table(items: int) -> str:
    rng = random.Random(7)  # noqa: S311 # a reproducible crowd, no secret
    rows = ["item,voter,choice"]
    for item in range(items):
        truth = rng.randrange(4)
        for voter in rng.sample(range(40), 5):
            choice = truth if rng.random() < 0.5 + voter / 90 else rng.randrange(4)
            rows.append(f"item-{item},voter-{voter},{'abcd'[choice]}")
    return "\n".join(rows) + "\n"
