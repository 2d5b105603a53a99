"""A fleet over a running stack: real node processes with digits of their own, and cycles that they train."""

import asyncio
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle

from bench.stack import MOOT, Stack
from domain.learning import tensor_file
from workers.artifacts import FsspecArtifacts
from workers.roster import PostgresRoster
from workflows import names

PATIENCE = 60.0
APPENDS = frozenset({"open_stream", "append_events"})


def digits(client: int, clients: int) -> dict[str, Any]:
    """Every `clients`-th of the digits in a fixed order: as `bench/flower/task.py` deals them out."""
    from sklearn.datasets import load_digits  # type: ignore[import-untyped] # it has no types

    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))[client::clients]
    return {"x": (x[order] / 16).astype(np.float32), "y": y[order].astype(np.int64)}


@contextmanager
def fleet(stack: Stack, hosts: int, clients: int) -> Iterator[tuple[str, list[int]]]:
    """Node processes with `clients` among them, once all are in the roster: their region and pids."""
    rows = stack.folder / "rows"
    rows.mkdir(exist_ok=True)
    each = clients // hosts
    region = uuid.uuid4().hex[:8]  # so that nobody is drawn who trained on this stack before
    with ExitStack() as running:
        nodes = []
        for host in range(hosts):
            node = f"{region}-{host}"
            for number in range(each):
                file = rows / (f"{node}.npz" if each == 1 else f"{node}-{number:0{len(str(each - 1))}d}.npz")
                np.savez(file, **digits(host * each + number, clients))
            nodes.append(running.enter_context(_node(stack, node, region, each)))
        asyncio.run(_gathered(stack, region, clients))
        yield region, nodes


@contextmanager
def _node(stack: Stack, node: str, region: str, clients: int) -> Iterator[int]:
    many = [] if clients == 1 else ["--clients", str(clients)]
    command = [str(MOOT), "worker", "node", "--id", node, "--region", region]
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("FOLKMOOT_", "TEMPORAL_"))}
    with (stack.folder / f"{node}.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--data", str(stack.folder / "rows" / "{client}.npz"), *many],
            cwd=stack.folder,
            env=environ,
            stdout=log,
            stderr=log,
        )
        try:
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(40)


async def _gathered(stack: Stack, region: str, clients: int) -> None:
    until = time.monotonic() + PATIENCE
    async with PostgresRoster(stack.settings.database_url) as roster:
        while sum(one.region == region for one in await roster.candidates()) < clients:
            if time.monotonic() > until:
                logs = [path.read_text()[-400:] for path in stack.folder.glob(f"{region}*.log")]
                raise RuntimeError(f"the fleet did not gather: {logs}")
            await asyncio.sleep(0.1)


@dataclass(frozen=True, slots=True)
class Trained:
    """A cycle that ended: seconds of its rounds but the first, and how accurate its model was after each."""

    seconds: list[float]
    accuracy: list[float]


async def train(client: Client, stack: Stack, region: str, clients: int, rounds: int) -> Trained:
    """A whole cycle: a perceptron of 4,810 numbers, one epoch a round, everybody takes part.

    Raises:
        RuntimeError: not everybody entered each round's model, or a round took more than one attempt.
    """
    artifacts = FsspecArtifacts(stack.settings.artifacts)
    holdout = await artifacts.put(tensor_file.encode(digits(0, 1)))
    name = f"bench-{uuid.uuid4().hex[:8]}"
    request = {
        "id": name,
        "model": name,
        "trainer": {
            "name": "mlp",
            "settings": {"features": 64, "classes": 10, "hidden": 64},
        },
        "rounds": rounds,
        "cohort": {"share": 1, "minimum": clients, "regions": [region]},
        "local": {"learning_rate": 0.1, "batch": 10, "seconds": 60},
        "holdout": {"uri": holdout.uri, "sha256": holdout.sha256, "bytes": holdout.bytes},
        "seed": 1,
    }
    handle = await client.start_workflow(
        names.RUN_LEARNING_CYCLE, request, id=names.learning_stream(name), task_queue=names.TASK_QUEUE
    )
    told = (await handle.result())["evolution_metrics"]
    if [each["clients"] for each in told] != [clients] * rounds:
        raise RuntimeError(f"of {clients} clients entered {[each['clients'] for each in told]}")
    return Trained(await _seconds_of_rounds(handle, rounds), [each["accuracy"] for each in told])


async def _seconds_of_rounds(handle: WorkflowHandle[Any, Any], rounds: int) -> list[float]:
    """From one round's end on the log to the next one's, by the server's clock; without the first round.

    Raises:
        RuntimeError: the cycle took other appends than one to open, one for each round and one to close, so
            that a round was abandoned, or cut in two.
    """
    asked: dict[int, str] = {}
    ends: list[float] = []
    async for event in handle.fetch_history_events():
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            asked[event.event_id] = event.activity_task_scheduled_event_attributes.activity_type.name
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            done = event.activity_task_completed_event_attributes.scheduled_event_id
            if asked[done] in APPENDS:
                ends.append(event.event_time.ToNanoseconds() / 1e9)
    if len(ends) != rounds + 2:
        raise RuntimeError(f"{rounds} rounds took {len(ends)} appends, not {rounds + 2}")
    return [float(each) for each in np.diff(ends)[1:-1]]  # opened, rounds, closed
