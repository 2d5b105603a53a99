"""Speaks to Temporal and the read model for `moot consensus`; every failure is one line."""

from collections.abc import Callable
from typing import Any

from temporalio.client import (
    Client,
    WorkflowHandle,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from cli import live, output, waiting
from cli.consensus_end import ended, ended_of, line
from cli.consensus_row import jsonable, row_of
from cli.consensus_view import recorded, started, without_outcome
from cli.live import Seen
from domain.consensus.commands import CastBallot, OpenDeliberation, Rule
from domain.refusal import Refusal
from projections.queries import Queries
from workers.settings import load
from workers.temporal_client import connect
from workflows import names


async def start(request: OpenDeliberation) -> dict[str, Any]:
    return _started(await _start(await _client(), request), request)


async def decide(request: OpenDeliberation) -> dict[str, Any]:
    """Start, and wait for the outcome; where people are waited for, say on stderr that it has begun."""
    handle = await _start(await _client(), request)
    if request.policy.otherwise == "person" or any(voter.kind == "external" for voter in request.voters):
        output.say(started(_started(handle, request)))
    async with waiting.told(handle, f"moot consensus watch {request.id}"):
        return await _result(handle)


def _started(handle: WorkflowHandle[Any, Any], request: OpenDeliberation) -> dict[str, Any]:
    return {"id": request.id, "workflow_id": handle.id, "run_id": handle.first_execution_run_id}


async def show(deliberation: str) -> Seen:
    """From the workflow where there is one, else (an item of a docket) from the read model."""
    handle = _handle(await _client(), deliberation)
    try:
        seen = await live.look(handle)
    except live.NotKnown:
        row = await row_of(handle.id)
        return Seen(row | {"ended": None}, recorded(row))
    how = await ended(handle)
    if how is None or seen.state["waits_for"] != "opening":
        settled = seen.state["waits_for"] == "settled"
        return Seen(seen.state | {"ended": how}, seen.text if settled else without_outcome(seen.text, how))
    # The newest run under this id was refused, perhaps since an earlier one has decided already.
    try:
        row = await row_of(handle.id)
    except Refusal:
        await _result(handle)
        raise
    text = recorded(row)
    return Seen(row | {"ended": how}, without_outcome(text, how) if row["status"] == "open" else text)


async def listed(status: str | None, limit: int) -> list[dict[str, Any]]:
    """As the read model knows them; of those without an outcome, Temporal says which have ended (`ended`)."""
    async with Queries(load(needs=["database_url"]).database_url) as tables:
        rows = [jsonable(row) for row in await tables.deliberations(limit, status)]
    waiting = [row["stream"] for row in rows if row["status"] == "open" and row["docket"] is None]
    how: dict[str, str] = {}
    try:
        how = await ended_of(await _client(), waiting) if waiting else {}
    except (Refusal, RPCError) as error:
        output.say(f"moot: which of the open ones have ended is not known: {line(error)}")
    return [row | {"ended": how.get(row["stream"])} for row in rows]


async def cast(deliberation: str, command: CastBallot) -> dict[str, Any]:
    receipt: dict[str, Any] = await _update(deliberation, names.CAST_BALLOT, command)
    return receipt


async def rule(deliberation: str, command: Rule) -> str:
    return str(await _update(deliberation, names.RULE, command))


async def watch(deliberation: str, tell: Callable[[dict[str, Any], str], None]) -> None:
    """Call `tell` at first and on every change, until there is an outcome."""
    handle = _handle(await _client(), deliberation)
    async with waiting.told(handle, f"moot consensus watch {deliberation}"):
        await live.watch(handle, tell, "moot consensus list")


async def _client() -> Client:
    return await connect(load(needs=["temporal_address"]))


def _handle(client: Client, deliberation: str) -> WorkflowHandle[Any, Any]:
    return client.get_workflow_handle(names.consensus_stream(deliberation))


async def _start(client: Client, request: OpenDeliberation) -> WorkflowHandle[Any, Any]:
    stream = names.consensus_stream(request.id)
    try:
        return await client.start_workflow(
            names.REACH_CONSENSUS,
            request,
            id=stream,
            task_queue=names.TASK_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            static_summary=f"consensus on {request.id}",
        )
    except WorkflowAlreadyStartedError:
        raise Refusal(
            "id", f"{stream} was started before; `moot consensus show {request.id}` shows it"
        ) from None


async def _result(handle: WorkflowHandle[Any, Any]) -> dict[str, Any]:
    return await live.result(handle)


async def _update(deliberation: str, name: str, command: CastBallot | Rule) -> Any:
    return await live.update(_handle(await _client(), deliberation), name, command)
