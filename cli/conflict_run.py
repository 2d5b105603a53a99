"""Speaks to Temporal and the read model for `moot conflict`; every failure is one line."""

import json
from collections.abc import Callable
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from cli import live, output, waiting
from cli.conflict_view import recorded
from cli.consensus_end import ended, ended_of, line
from cli.consensus_row import jsonable
from cli.consensus_view import without_outcome
from cli.live import Seen
from domain.conflict.commands import OpenCase
from domain.conflict.state import ENDS
from domain.refusal import Refusal
from domain.strict_json import printable
from projections.queries import Queries
from workers.settings import load
from workers.temporal_client import connect
from workflows import names


async def start(request: OpenCase) -> dict[str, Any]:
    handle = await _start(await _client(), request)
    return {"id": request.id, "workflow_id": handle.id, "run_id": handle.first_execution_run_id}


async def resolve(request: OpenCase) -> dict[str, Any]:
    """Open, and wait for the last word."""
    handle = await _start(await _client(), request)
    output.say(f"opened {handle.id}; follow it with `moot conflict watch {request.id}`")
    async with waiting.told(handle, f"moot conflict watch {request.id}"):
        return await live.result(handle)


async def show(case: str) -> Seen:
    """From the workflow where Temporal has it, else from the read model."""
    handle = _handle(await _client(), case)
    try:
        seen = await live.look(handle)
    except live.NotKnown:
        row = await _row(handle.id)
        return Seen(row | {"ended": None}, recorded(row))
    how = await ended(handle)
    if how is not None and seen.state["status"] == "opening":
        # The newest run under this id was refused, perhaps since an earlier one has been decided already.
        row = await _row(handle.id)
        return Seen(row | {"ended": how}, recorded(row))
    told = seen.state["waits_for"] == "settled" or how is None
    return Seen(seen.state | {"ended": how}, seen.text if told else without_outcome(seen.text, how))


async def listed(
    status: str | None, region: str | None, level: int | None, limit: int
) -> list[dict[str, Any]]:
    """As the read model knows them; of the open ones Temporal says which have ended (`ended`)."""
    async with Queries(load(needs=["database_url"]).database_url) as tables:
        rows = [jsonable(row) for row in await tables.cases(limit, status, region=region, level=level)]
    still = [row["stream"] for row in rows if row["status"] not in ENDS]
    how: dict[str, str] = {}
    try:
        how = await ended_of(await _client(), still) if still else {}
    except (Refusal, RPCError) as error:
        output.say(f"moot: which of the open ones have ended is not known: {line(error)}")
    return [row | {"ended": how.get(row["stream"])} for row in rows]


async def tell(case: str, name: str, command: object) -> dict[str, Any]:
    """Hand a command to the case; the ids of the events that record it."""
    handle = _handle(await _client(), case)
    try:
        events: list[str] = await live.update(handle, name, command)
    except live.TakesNoMore as refusal:
        raise await _too_late(handle, name) or refusal from None
    return {"event_ids": events}


async def _too_late(handle: WorkflowHandle[Any, Any], name: str) -> Refusal | None:
    """What is said of a case that is closed; None where it is not, or there is none."""
    try:
        state = (await live.look(handle)).state
    except live.NotKnown:
        return None
    if state["status"] not in ENDS:
        return None
    if name in (names.APPEAL, names.ANNUL) and state["status"] == "resolved":
        return Refusal("party", f"the window of level {state['level']} closed at {state['open_until']}")
    case = printable(str(state["id"]))
    return Refusal("ID", f"{handle.id} is {state['status']}; `moot conflict show {case}` tells how")


async def watch(case: str, told: Callable[[dict[str, Any], str], None]) -> None:
    """Call `told` at first and on every change, until the case is closed."""
    handle = _handle(await _client(), case)
    async with waiting.told(handle, f"moot conflict watch {case}"):
        await live.watch(handle, told, "moot conflict list")


async def _row(stream: str) -> dict[str, Any]:
    async with Queries(load(needs=["database_url"]).database_url) as tables:
        row = await tables.case(stream)
    if row is None:
        raise Refusal("ID", f"{stream} is not known; see `moot conflict list`")
    return jsonable({**row, "state": json.loads(row["state"])})


async def _client() -> Client:
    return await connect(load(needs=["temporal_address"]))


def _handle(client: Client, case: str) -> WorkflowHandle[Any, Any]:
    return client.get_workflow_handle(names.conflict_stream(case))


async def _start(client: Client, request: OpenCase) -> WorkflowHandle[Any, Any]:
    stream = names.conflict_stream(request.id)
    try:
        return await client.start_workflow(
            names.RESOLVE_CONFLICT,
            request,
            id=stream,
            task_queue=names.TASK_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            static_summary=f"conflict case {request.id}",
        )
    except WorkflowAlreadyStartedError:
        raise Refusal(
            "id", f"{stream} was opened before; `moot conflict show {request.id}` shows it"
        ) from None
