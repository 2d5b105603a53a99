"""Cases of which the tables do not tell whether their workflows run: each keeps its place in the bound."""

import asyncio
import time
from collections.abc import AsyncIterator, KeysView
from dataclasses import dataclass
from datetime import timedelta

import structlog
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from projections.reaction_queries import ReactionQueries
from workflows import names

_log = structlog.get_logger(__name__)

_UNSEEN_FOR = 60.0  # seconds after which a case that was started should have been projected
_TOGETHER = 20  # questions to Temporal at once
_ANSWER_WITHIN = timedelta(seconds=10)


@dataclass(slots=True)
class _Place:
    """`key` is the stream of a key that has no other case meanwhile; none where that does not matter."""

    key: str
    ask_at: float  # when Temporal is asked whether it runs
    ending: bool = False


class Started:
    """Cases that are not projected yet, and those that are closed and whose workflows may still end."""

    def __init__(self) -> None:
        self._places: dict[str, _Place] = {}
        self._open: set[str] = set()

    def cases(self) -> KeysView[str]:
        return self._places.keys()

    def keys(self) -> set[str]:
        """The streams of the keys whose case is not projected yet."""
        return {place.key for place in self._places.values()}

    def take(self, case: str, key: str) -> None:
        """Before it is asked for: a start whose answer is lost may have been one."""
        self._places[case] = _Place(key, time.monotonic() + _UNSEEN_FOR)

    def doubt(self, case: str) -> None:
        """Ask Temporal at the next occasion: nobody answered whether it began."""
        self._places[case].ask_at = time.monotonic()

    async def compare(self, tables: ReactionQueries, running: set[str]) -> None:
        """Leave to the tables what is `running` by them; what they closed since is ending."""
        known = set(await tables.known_cases(list(self._places))) if self._places else set()
        for case in known & running:
            del self._places[case]
        for case in (self._open | known) - running:
            self._places[case] = _Place("", 0.0, ending=True)
        self._open = running

    async def ask(self, client: Client) -> None:
        """Ask Temporal about every case of which nobody has told for too long."""
        now = time.monotonic()
        asked = [case for case, place in self._places.items() if place.ask_at <= now]
        for first in range(0, len(asked), _TOGETHER):
            part = asked[first : first + _TOGETHER]
            statuses = await asyncio.gather(*(_status(client, case) for case in part))
            self._told(dict(zip(part, statuses, strict=True)))

    def _told(self, statuses: dict[str, WorkflowExecutionStatus | None]) -> None:
        for case, status in statuses.items():
            place = self._places[case]
            if status is WorkflowExecutionStatus.RUNNING:
                if not place.ending:
                    self.take(case, place.key)
                continue
            del self._places[case]
            if status is None:
                _log.info("reactor.case_not_begun", case=case, stream=place.key)
            elif not place.ending:  # it ended without a word on the log: its place is free, its id is not
                _log.error("reactor.case_unseen", case=case, stream=place.key)


async def _status(client: Client, case: str) -> WorkflowExecutionStatus | None:
    try:
        return (await client.get_workflow_handle(case).describe(rpc_timeout=_ANSWER_WITHIN)).status
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise


async def running_cases(client: Client) -> AsyncIterator[str]:
    """The cases that reactors have started, as far as Temporal lists them."""
    query = f'WorkflowType = "{names.RESOLVE_CONFLICT}" AND ExecutionStatus = "Running"'
    async for one in client.list_workflows(query):
        if one.id.startswith("conflict/c-"):
            yield one.id
