"""How fast a table is decided, and how much faster than by one workflow for each item."""

import asyncio
import json
import random
import statistics
import subprocess
import time
from pathlib import Path

from bench.deliberation import decide
from bench.figure import Figure
from bench.stack import MOOT, Stack, running
from workers.temporal_client import connect

ITEMS = 10_000
TABLES = 3
SINGLE_ITEMS = 100
AT_ONCE = 20  # more at once did not make it faster


def figures() -> list[Figure]:
    """Both in turns, on a stack of its own, after a table and some workflows that do not count."""
    with running() as stack:
        table = stack.folder / "docket.csv"
        table.write_text(_table())
        rounds = [(_one_by_one(stack), _decided_per_second(stack, table)) for _ in range(1 + TABLES)][1:]
    single, rate = (statistics.median(found) for found in zip(*rounds, strict=True))
    ratio = statistics.median(docket / one for one, docket in rounds)
    note = f"median of {TABLES}, {ITEMS:,} items x 5 ballots, `moot decide` from start to printed results"
    return [
        Figure("docket", rate, "items/s", 1000, ">=", note),
        Figure("one workflow per item", single, "items/s", note=f"{SINGLE_ITEMS} items, {AT_ONCE} at once"),
        Figure("docket over one workflow per item", ratio, "times", 20, note=f"median of {TABLES} pairs"),
    ]


def _decided_per_second(stack: Stack, table: Path) -> float:
    started = time.perf_counter()
    done = subprocess.run(
        [MOOT, "decide", str(table), "--json"], cwd=stack.folder, capture_output=True, check=True
    )
    seconds = time.perf_counter() - started
    return len(json.loads(done.stdout)["items"]) / seconds


def _one_by_one(stack: Stack) -> float:
    return asyncio.run(_each_its_workflow(stack))


async def _each_its_workflow(stack: Stack) -> float:
    client = await connect(stack.settings)
    room = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with room:
            await decide(client)

    started = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(SINGLE_ITEMS)))
    return SINGLE_ITEMS / (time.perf_counter() - started)


def _table() -> str:
    rng = random.Random(7)  # noqa: S311 # a reproducible crowd, no secret
    rows = ["item,voter,choice"]
    for item in range(ITEMS):
        truth = rng.randrange(4)
        for voter in rng.sample(range(40), 5):
            choice = truth if rng.random() < 0.5 + voter / 90 else rng.randrange(4)
            rows.append(f"item-{item},voter-{voter},{'abcd'[choice]}")
    return "\n".join(rows) + "\n"
