"""How far the nodes of a cycle are, as the heartbeats of their trainings say."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from cli.waiting import node_of
from domain.counting import counted
from domain.strict_json import printable
from workflows.names import TRAIN_ROUND

LOOK_SECONDS = 1.0
_ANSWER = timedelta(seconds=3)
_SHARDS = 100
_NAME = 40  # characters
_STARTED = PendingActivityState.PENDING_ACTIVITY_STATE_STARTED


@dataclass(frozen=True, slots=True)
class Training:
    """A node in the middle of its share: `client` is the `begun`th of `clients`, at a step of `planned`."""

    host: str
    client: str
    done: int
    planned: int
    begun: int
    clients: int

    @property
    def share(self) -> float:
        """Of its work, that is done."""
        return (self.begun - 1 + self.done / self.planned) / self.clients


@asynccontextmanager
async def followed(
    client: Client, handle: WorkflowHandle[Any, Any], tell: Callable[[list[Training]], None]
) -> AsyncIterator[None]:
    """For the length of a block, tell again and again how far the nodes are; nothing where none says."""
    looking = asyncio.create_task(_keep_looking(client, handle, tell))
    try:
        yield
    finally:
        looking.cancel()


async def _keep_looking(
    client: Client, handle: WorkflowHandle[Any, Any], tell: Callable[[list[Training]], None]
) -> None:
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            tell(await training(client, handle))
        except RPCError:
            continue  # whoever waits is told by `cli.waiting` that Temporal does not answer


async def training(client: Client, handle: WorkflowHandle[Any, Any]) -> list[Training]:
    """Those that said how far they are, the one that is least far first; of a large cohort, its shards'."""
    seen = (await handle.describe(rpc_timeout=_ANSWER)).raw_description
    shards = [client.get_workflow_handle(one.workflow_id) for one in seen.pending_children[:_SHARDS]]
    parts = await asyncio.gather(*(one.describe(rpc_timeout=_ANSWER) for one in shards))
    steps = [*seen.pending_activities, *(s for p in parts for s in p.raw_description.pending_activities)]
    return sorted(said(steps), key=lambda one: (one.share, one.host, one.client))


def said(steps: Iterable[PendingActivityInfo]) -> Iterator[Training]:
    """What their heartbeats carry, where it is what a node says: they are anybody's words."""
    for step in steps:
        if step.activity_type.name == TRAIN_ROUND and _goes_on(step):
            try:
                said = [json.loads(payload.data) for payload in step.heartbeat_details.payloads]
            except ValueError:
                continue
            match said:
                case [str(client), int(done), int(planned), int(begun), int(clients)] if (
                    0 <= done <= planned and planned > 0 and 0 < begun <= clients
                ):
                    yield Training(node_of(step), client, done, planned, begun, clients)


def _goes_on(step: PendingActivityInfo) -> bool:
    """Whether the attempt under way said it; a node that is gone said what stands there of one before."""
    beaten, begun = step.last_heartbeat_time, step.last_started_time
    return step.state == _STARTED and beaten.ToNanoseconds() >= begun.ToNanoseconds()


def in_words(found: Sequence[Training]) -> str:
    """`edge-1 is at step 40 of 120, and 2 nodes further on`; nothing where nobody says."""
    if not found:
        return ""
    first, more = found[0], len(found) - 1
    which = f" of {printable(first.client, _NAME)}" if first.client != first.host else ""
    place = f", client {first.begun:,} of {first.clients:,}" if first.clients > 1 else ""
    others = f"; {counted(more, 'node')} further on" if more else ""
    return (
        f"{printable(first.host, _NAME)} is at step {first.done:,} of {first.planned:,}{which}{place}{others}"
    )
