"""Speaks to Temporal and the read model for `moot learn`; every failure is one line."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from cli import live, output, waiting
from cli.consensus_end import ended_of, line
from cli.consensus_row import jsonable
from cli.learn_nodes import Training, followed
from cli.learn_row import Following, Row, read
from domain.learning.commands import RunCycle
from domain.refusal import Refusal
from projections.learning_queries import LearningQueries
from workers import schedules
from workers.artifacts import FsspecArtifacts
from workers.settings import load
from workers.temporal_client import connect
from workflows import names

LOOK_SECONDS = 0.5
TABLES_SECONDS = 10.0  # that the read model may take to follow a cycle that has ended

Nodes = Callable[[list[Training]], None]


async def start(request: RunCycle, rows: bytes | None) -> Row:
    return _started(await _start(await _client(), request, rows), request)


async def train(request: RunCycle, rows: bytes | None, nodes: Nodes) -> Row:
    """Start, and wait for the result; `nodes` is told how far they are."""
    client = await _client()
    handle = await _start(client, request, rows)
    output.say(f"started {handle.id}; follow it with `moot learn watch {request.id}`")
    async with waiting.told(handle, f"moot learn watch {request.id}"), followed(client, handle, nodes):
        return await live.result(handle)


async def schedule(request: RunCycle, rows: bytes | None, every: timedelta) -> Row:
    """Start now and every so long; each cycle has the time of its start in its id.

    A model has one schedule: another one takes the place of the one before.
    """
    client, request = await _client(), await _with(replace(request, scheduled=True), rows)
    new = await schedules.schedule(client, request, every)
    name = schedules.schedule_id(request.model)
    return {"id": request.id, "schedule_id": name, "every_seconds": every.total_seconds(), "new": new}


async def show(cycle: str) -> Row:
    """From the read model; `ended` says how its workflow ended, where it did without an end on the log.

    Raises:
        Refusal: neither the read model nor Temporal knows it, or it failed before its first event.
    """
    stream = names.learning_stream(cycle)
    row = await _row(stream)
    if row is not None:
        return (await _with_ends([row]))[0]
    handle = await _handle(stream)
    try:
        closed = (await handle.describe()).close_time is not None
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise Refusal("ID", f"{stream} is not known; see `moot learn list`") from None
        raise
    if closed:
        await live.result(handle)  # its failure says why it has no row
    raise Refusal("ID", f"{stream} has begun, and the read model does not know it yet: ask again")


async def listed(status: str | None, model: str | None, limit: int) -> list[Row]:
    """As the read model knows them; of those that still train Temporal says which have ended (`ended`)."""
    async with _tables() as tables:
        rows = [jsonable(row) for row in await tables.cycles(limit, status, model=model)]
    return await _with_ends(rows)


async def watch(cycle: str, tell: Callable[[Row], None], nodes: Nodes) -> None:
    """Call `tell` at first and on every change, until the cycle has ended, and `nodes` as `train`.

    Raises:
        Refusal: there is none, or it ended without an end on the log; its own line.
    """
    stream = names.learning_stream(cycle)
    client = await _client()
    handle = client.get_workflow_handle(stream)
    seen: Row | None = None
    closed_since: float | None = None
    told = waiting.told(handle, f"moot learn watch {cycle}")
    async with _tables() as tables, told, followed(client, handle, nodes):
        following = Following(tables, stream)
        while seen is None or seen["status"] == "training":
            row = await following.look()
            if row is not None and row != seen:
                seen, closed_since = row, None
                tell(row)
                continue
            if closed_since is None and await _has_ended(handle, known=seen is not None):
                closed_since = time.monotonic()
            if closed_since is not None and time.monotonic() - closed_since > TABLES_SECONDS:
                await live.result(handle)
                raise Refusal("ID", f"{stream} has ended, and the read model did not follow; is it running?")
            await asyncio.sleep(LOOK_SECONDS)


async def _has_ended(handle: WorkflowHandle[Any, Any], *, known: bool) -> bool:
    """Whether its workflow is over; one that Temporal no longer keeps, but the tables know, is."""
    try:
        return (await handle.describe()).close_time is not None
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        if known:
            return True
        raise Refusal("ID", f"{handle.id} is not known; see `moot learn list`") from None


async def _with_ends(rows: list[Row]) -> list[Row]:
    still = [row["stream"] for row in rows if row["status"] == "training"]
    how: dict[str, str] = {}
    try:
        how = await ended_of(await _client(), still) if still else {}
    except (Refusal, RPCError) as error:
        output.say(f"moot: which of those that train have ended is not known: {line(error)}")
    return [row | {"ended": how.get(row["stream"])} for row in rows]


async def _row(stream: str) -> Row | None:
    async with _tables() as tables:
        return read(await tables.cycle(stream))


def _tables() -> LearningQueries:
    return LearningQueries(load(needs=["database_url"]).database_url)


async def _client() -> Client:
    return await connect(load(needs=["temporal_address"]))


async def _handle(stream: str) -> WorkflowHandle[Any, Any]:
    return (await _client()).get_workflow_handle(stream)


async def _with(request: RunCycle, rows: bytes | None) -> RunCycle:
    if rows is None:
        return request
    artifacts = FsspecArtifacts(load(needs=["temporal_address"]).artifacts)
    return replace(request, holdout=await artifacts.put(rows))


def _started(handle: WorkflowHandle[Any, Any], request: RunCycle) -> Row:
    return {"id": request.id, "workflow_id": handle.id, "run_id": handle.first_execution_run_id}


async def _start(client: Client, request: RunCycle, rows: bytes | None) -> WorkflowHandle[Any, Any]:
    stream = names.learning_stream(request.id)
    try:
        return await client.start_workflow(
            names.RUN_LEARNING_CYCLE,
            await _with(request, rows),
            id=stream,
            task_queue=names.TASK_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            static_summary=f"learning cycle {request.id}",
        )
    except WorkflowAlreadyStartedError:
        raise Refusal("id", f"{stream} was started before; `moot learn show {request.id}` shows it") from None
