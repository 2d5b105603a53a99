"""How a node process says something on its stream exactly once, with Temporal and its journal alone.

The journal counts the stream: under `said` of a version stands what is written as that version, from before
the first attempt, and under `done` its digest, from when it is on the log. Whoever is killed in between finds
the half-done version at the next start and ends it first. Which version a workflow wrote is asked of the last
one of the host's, since a second workflow may write nothing that one before it has written.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec
import structlog
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.learning_ports import Journal
from domain.learning.fleet import Announced, Announcement, FleetEvent, Left, Written
from domain.learning.roster import elsewhere
from domain.refusal import Refusal
from workflows import names
from workflows.payloads import INVALID, REFUSED

_log = structlog.get_logger(__name__)

_WROTE = (WorkflowExecutionStatus.COMPLETED, WorkflowExecutionStatus.RUNNING)


class Announcer:
    """Says what a host says; one process at a time has its journal."""

    def __init__(
        self, client: Client, journal: Journal, host: str, task_queue: str = names.TASK_QUEUE
    ) -> None:
        self._client = client
        self._journal = journal
        self._host = host
        self._task_queue = task_queue
        self._stream = names.fleet_stream(host)

    async def say(self, events: Sequence[FleetEvent]) -> int:
        """Have `events` on the log, in order, after whatever was begun before; how many were new.

        What the host said last is not said again.

        Raises:
            Refusal: the stream has events that the journal knows nothing of.
            RPCError: Temporal cannot be asked; what was begun is ended by the next call.
        """
        counted = await self._end_what_was_begun()
        if await self._said_last(counted, events):
            return 0
        for event in events:
            counted = await self._say(event, counted + 1)
        return len(events)

    async def _say(self, event: FleetEvent, version: int) -> int:
        """Have `event` on the log as `version`, or after what stands there already; as which."""
        while True:
            own = _encoded(version, event)
            stands = await self._journal.once(_said(version), own)
            await self._write(msgspec.json.decode(stands, type=Announcement))
            if stands == own:
                return version
            version += 1  # a call that was cancelled had begun it

    async def leave(self, reason: str) -> None:
        """Have it on the log that the host left, if it ever announced itself; else as `say`."""
        if await self._end_what_was_begun():
            await self.say([Left(self._host, reason)])

    async def _end_what_was_begun(self) -> int:
        counted = await self._counted()
        begun = await self._journal.read(_said(counted + 1))
        if begun is None:
            return counted
        await self._write(msgspec.json.decode(begun, type=Announcement))
        return counted + 1

    async def _counted(self) -> int:
        """How many versions are done: they have no gap, so few are looked at."""
        done, beyond = 0, 1
        while await self._journal.read(_done(beyond)) is not None:
            done, beyond = beyond, beyond * 2
        while beyond - done > 1:
            middle = (done + beyond) // 2
            if await self._journal.read(_done(middle)) is None:
                beyond = middle
            else:
                done = middle
        return done

    async def _said_last(self, counted: int, events: Sequence[FleetEvent]) -> bool:
        first = counted - len(events) + 1
        if first < 1:
            return False
        done = [await self._journal.read(_done(version)) for version in range(first, counted + 1)]
        return done == [_digest(event).encode() for event in events]

    async def _write(self, asked: Announcement) -> None:
        """Have a version on the log, whoever began it."""
        version = asked.counted + 1
        try:
            while not await self._is_written(asked):
                await self._run(asked)
        except Refusal:  # by which nothing was written: it must not stand in the way of what is said next
            await self._journal.forget(_said(version))
            raise
        await self._journal.once(_done(version), asked.digest.encode())
        await self._journal.forget(_said(version))
        _log.info("fleet.announced", host=self._host, version=version, type=asked.event.TYPE)

    async def _run(self, asked: Announcement) -> None:
        try:
            await self._client.execute_workflow(
                names.ANNOUNCE_HOST,
                asked,
                id=self._stream,
                task_queue=self._task_queue,
                id_reuse_policy=_reuse(asked.counted + 1),
                static_summary=f"{self._host}, event {asked.counted + 1}",
            )
        except WorkflowAlreadyStartedError:
            return  # somebody of this name was first: what he wrote is looked at
        except WorkflowFailureError as failed:
            raise _why(failed) from None

    async def _is_written(self, asked: Announcement) -> bool:
        """Whether the host's last workflow wrote just this, awaited if it still runs.

        Raises:
            Refusal: it wrote something else in its place.
        """
        last = await self._last()
        if last is None or last.version <= asked.counted:
            return False
        if last == Written(asked.counted + 1, asked.digest):
            return True
        raise elsewhere(self._host, last.version, asked.counted)

    async def _last(self) -> Written | None:
        """What the last workflow wrote; None where Temporal knows of none, or it did not end well.

        Of one that was terminated the read model says whether it wrote: the next workflow looks there.
        """
        handle: WorkflowHandle[Any, Written] = self._client.get_workflow_handle(
            self._stream, result_type=Written
        )
        try:
            if (await handle.describe()).status not in _WROTE:
                return None
            return await handle.result()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise
        except WorkflowFailureError:
            return None


def _reuse(version: int) -> WorkflowIDReusePolicy:
    # Nobody may write a first version twice, not even two hosts of one name that begin at the same moment.
    first = WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY
    return first if version == 1 else WorkflowIDReusePolicy.ALLOW_DUPLICATE


def _why(failed: WorkflowFailureError) -> Exception:
    cause = failed.cause
    if isinstance(cause, ApplicationError) and cause.type in (REFUSED, INVALID) and cause.details:
        (fault, *_) = cause.details[0]
        return Refusal(fault["field"], fault["problem"])
    return failed


def _said(version: int) -> str:
    return f"fleet/{version:012d}/said"


def _done(version: int) -> str:
    return f"fleet/{version:012d}/done"


def _encoded(version: int, event: FleetEvent) -> bytes:
    announced = event if isinstance(event, Announced) else None
    left = event if isinstance(event, Left) else None
    return msgspec.json.encode(Announcement(version - 1, _digest(event), announced, left))


def _digest(event: FleetEvent) -> str:
    return hashlib.sha256(event.TYPE.encode() + msgspec.json.encode(event)).hexdigest()
