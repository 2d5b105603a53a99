"""Starts a docket's workflow, shows how far it is, and fetches what it decided."""

import asyncio
from dataclasses import dataclass

from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from cli import waiting
from cli.consensus_end import line
from cli.decide import New
from cli.progress import Progress
from domain.consensus.docket import DecideDocketRequest
from domain.refusal import Refusal
from workers.artifacts import FsspecArtifacts
from workers.settings import load
from workers.temporal_client import connect
from workflows import names
from workflows.docket import DecideDocket, DocketOutcome, DocketProgress

Handle = WorkflowHandle[DecideDocket, DocketOutcome]
LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class DocketRun:
    """A connection to the stack that decides dockets."""

    client: Client
    artifacts: FsspecArtifacts

    async def start(self, request: DecideDocketRequest) -> Handle:
        """Start the docket.

        Raises:
            Refusal: there is, or was, a docket of this id.
        """
        stream = names.docket_stream(request.id)
        try:
            return await self.client.start_workflow(
                DecideDocket.run,
                request,
                id=stream,
                task_queue=names.TASK_QUEUE,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                static_summary=f"decide {stream}",
            )
        except WorkflowAlreadyStartedError:
            raise Refusal(
                "--id", f"{stream} was started before; `moot decide --attach {request.id}` shows it"
            ) from None

    def find(self, docket: str) -> Handle:
        """The docket of this id, not looked up yet."""
        return self.client.get_workflow_handle_for(DecideDocket.run, names.docket_stream(docket))

    async def watch(self, handle: Handle) -> DocketOutcome:
        """Wait for the outcome under a progress bar.

        Raises:
            Refusal: the docket failed or does not exist; its own line.
        """
        ending = asyncio.ensure_future(handle.result())
        with Progress("items decided") as progress:
            while not (await asyncio.wait([ending], timeout=LOOK_SECONDS))[0]:
                seen = await self._progress(handle)
                if seen is not None and seen.items:
                    progress.show(seen.decided, seen.items)
            return _outcome(ending)

    async def _progress(self, handle: Handle) -> DocketProgress | None:
        try:
            return await handle.query(DecideDocket.progress)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                raise Refusal("docket", f"{handle.id} is not known here; see `moot consensus list`") from None
            return None  # no worker answers now: the docket waits, and so do we


async def decide(name: str, new: New | None) -> bytes:
    """Start the docket `name` from `new`, or find it again, and wait for its results: one JSON object.

    Raises:
        Refusal: no stack answers, the docket is known already or not at all, or it failed.
    """
    settings = load(needs=["temporal_address"])
    run = DocketRun(await connect(settings), FsspecArtifacts(settings.artifacts))
    if new is None:
        handle = run.find(name)
    else:
        table = await run.artifacts.put(new.raw)
        handle = await run.start(
            DecideDocketRequest(
                id=name, table=table, question=new.question, topic=new.topic, policy=new.policy
            )
        )
    async with waiting.told(handle, f"moot decide --attach {name}"):
        outcome = await run.watch(handle)
    return await run.artifacts.get(outcome.results)


def _outcome(ending: "asyncio.Future[DocketOutcome]") -> DocketOutcome:
    try:
        return ending.result()
    except WorkflowFailureError as error:
        raise Refusal("", line(error.cause)) from None
    except RPCError as error:
        raise Refusal("docket", error.message) from None
