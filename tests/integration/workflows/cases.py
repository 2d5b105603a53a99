"""Cases to bring, and what the parties, members and persons of one do."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.service import RPCError

from domain.event import Event
from tests.integration.workflows.conftest import DEADLINE, Moot
from workflows.names import RESOLVE_CONFLICT, conflict_stream

SOON = {
    "local_appeal_seconds": 0,
    "regional_appeal_seconds": 0,
    "global_appeal_seconds": 0,
    "annulment_seconds": 0,
}
LONG = {f"{name}_seconds": 600 for name in ("local_appeal", "regional_appeal", "global_appeal", "annulment")}


def member(number: int, choice: str | None = "p1", region: str = "") -> dict[str, Any]:
    """Members spread over three regions, each with a ballot for its first round."""
    ballots = [{"choice": choice, "confidence": 0.8}]
    return {"id": f"m{number:02}", "region": region or ("eu", "us", "asia")[number % 3], "ballots": ballots}


def case(id_: str, members: Sequence[dict[str, Any]] = (), **changes: Any) -> dict[str, Any]:
    """Two parties of one region differ about a number of beds."""
    policy = {"weighting": "equal", **SOON, **changes.pop("policy", {})}
    positions = [
        {"id": "p1", "party": "ann", "claim": '{"beds": 9}', "evidence": ["e1"], "region": "eu"},
        {"id": "p2", "party": "bob", "claim": '{"beds": 7}', "region": "eu"},
    ]
    return {
        "id": id_,
        "question": "How many beds are free?",
        "regions": ["eu"],
        "positions": positions,
        "evidence": [{"id": "e1", "text": "the ward's log says nine"}],
        "members": list(members),
        "policy": policy,
        **changes,
    }


async def _seats(panel: WorkflowHandle[Any, Any]) -> list[str]:
    try:
        seats: list[str] = (await panel.query("state"))["panel"]
    except RPCError:  # it was not started yet
        return []
    return seats


@dataclass
class Court:
    """What is done with one case of a running system."""

    moot: Moot
    handle: WorkflowHandle[Any, Any]

    @classmethod
    async def of(cls, moot: Moot, request: dict[str, Any], **options: Any) -> "Court":
        workflow = options.pop("id", conflict_stream(request["id"]))
        handle = await moot.client.start_workflow(
            RESOLVE_CONFLICT, request, id=workflow, task_queue=moot.queue, **options
        )
        return cls(moot, handle)

    def events(self) -> list[Event]:
        return self.moot.log.stream(self.handle.id)

    def said(self) -> list[str]:
        return [event.type.removeprefix("conflict.").removesuffix(".v1") for event in self.events()]

    async def tell(self, update: str, **command: Any) -> list[str]:
        found: list[str] = await self.handle.execute_update(update, command)
        return found

    async def vote(self, choice: str) -> None:
        """Every external member of the panel that sits now casts this ballot."""
        stream, seats = None, []
        async with asyncio.timeout(DEADLINE):
            while not stream:
                stream = (await self.handle.query("state"))["deliberation"]
            panel = self.moot.client.get_workflow_handle(stream)
            while not seats:
                seats = await _seats(panel)
        for voter in seats:
            await panel.execute_update("cast_ballot", {"voter": voter, "choice": choice})

    async def refused(self, update: str, **command: Any) -> str:
        """The one line that an update is refused with."""
        with pytest.raises(WorkflowUpdateFailedError) as failed:
            await self.handle.execute_update(update, command)
        line = str(failed.value.cause)
        assert "\n" not in line
        return failed.value.cause.message

    async def failed(self) -> str:
        """The one line that the workflow fails with."""
        with pytest.raises(WorkflowFailureError) as failed:
            await self.handle.result()
        return failed.value.cause.message

    async def until(self, **wanted: Any) -> dict[str, Any]:
        return await self.moot.until(self.handle, **wanted)
