"""Asks a running workflow of ours: where it stands, an update, its result; every failure is one line."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio.client import (
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.service import RPCError, RPCStatusCode

from cli.consensus_end import line
from domain.refusal import Refusal
from domain.strict_json import printable

ANSWER = timedelta(seconds=10)
LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Seen:
    """Where something stands, for programs and in words."""

    state: dict[str, Any]
    text: str


class NotKnown(Exception):
    """Temporal has no such workflow."""


class TakesNoMore(Refusal):
    """An update for a workflow that has ended, or that there is none of."""


async def look(handle: WorkflowHandle[Any, Any]) -> Seen:
    """What its queries `state` and `explain` say.

    Raises:
        NotKnown: there is no such workflow.
        Refusal: it does not answer.
    """
    try:
        state = await handle.query("state", rpc_timeout=ANSWER)
        return Seen(state, await handle.query("explain", rpc_timeout=ANSWER))
    except WorkflowQueryFailedError as error:
        raise Refusal("", line(error)) from None
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise NotKnown from None
        raise _unanswered(handle, error) from None


async def update(handle: WorkflowHandle[Any, Any], name: str, command: object) -> Any:
    """The answer to an update.

    Raises:
        TakesNoMore: it has ended, or there is none.
        Refusal: it was refused, or the workflow does not answer.
    """
    try:
        return await handle.execute_update(name, command, rpc_timeout=ANSWER)
    except WorkflowUpdateFailedError as error:
        raise Refusal("", line(error.cause)) from None
    except WorkflowUpdateRPCTimeoutOrCancelledError as error:
        raise _unanswered(handle, error) from None
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise TakesNoMore("ID", f"{handle.id} takes no more: it has ended, or there is none") from None
        raise _unanswered(handle, error) from None


async def result(handle: WorkflowHandle[Any, Any]) -> dict[str, Any]:
    """What the workflow came to.

    Raises:
        Refusal: it failed, with its line.
    """
    try:
        outcome: dict[str, Any] = await handle.result()
    except WorkflowFailureError as error:
        raise Refusal("", f"{handle.id} failed: {line(error.cause)}") from None
    return outcome


async def watch(
    handle: WorkflowHandle[Any, Any], tell: Callable[[dict[str, Any], str], None], known: str
) -> None:
    """Call `tell` at first and on every change, until it waits for nothing more.

    Raises:
        Refusal: there is none (`known` is the command that lists them), or it ended without an outcome.
    """
    told: dict[str, Any] | None = None
    while told is None or told["waits_for"] != "settled":
        try:
            seen = await look(handle)
        except NotKnown:
            raise Refusal("ID", f"{handle.id} is not known; see `{known}`") from None
        if seen.state != told:
            tell(seen.state, seen.text)
            told = seen.state
        elif (await handle.describe()).close_time is not None:
            await result(handle)  # it ended without an outcome: its failure says why
            return
        else:
            await asyncio.sleep(LOOK_SECONDS)


def _unanswered(handle: WorkflowHandle[Any, Any], error: Exception) -> Refusal:
    why = error.message if isinstance(error, RPCError) else "no answer in time"
    return Refusal(
        "",
        f"{handle.id} did not answer ({printable(why, 120)}); does `moot worker orchestrator` run? "
        "Asking again is safe",
    )
