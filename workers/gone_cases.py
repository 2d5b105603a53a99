"""Cases that are open on the log although nobody works on them: they keep no key and no place."""

import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

import structlog
from temporalio.client import Client, WorkflowExecutionStatus

from workers import case_runs

_log = structlog.get_logger(__name__)

EVERY = 30.0  # seconds between two looks
ENDED_FOR = timedelta(seconds=60)
"""By then what a workflow wrote at its end should have been projected."""
_AT_ONCE = 100
_LIVE = (
    WorkflowExecutionStatus.RUNNING,
    WorkflowExecutionStatus.CONTINUED_AS_NEW,
    WorkflowExecutionStatus.COMPLETED,  # its last word is on the log, and will be projected
)


class GoneCases:
    """Asks Temporal, at most once in `every` seconds, which open cases have no workflow any more.

    A case that was terminated, that timed out or failed without a word, or that Temporal does not know, ended
    nowhere on the log. One that runs again, after a reset say, is open again.
    """

    def __init__(self, *, every: float = EVERY, ended_for: timedelta = ENDED_FOR) -> None:
        self._every, self._ended_for = every, ended_for
        self._looked = float("-inf")
        self._gone: frozenset[str] = frozenset()

    async def among(self, cases: set[str], temporal: Callable[[], Awaitable[Client]]) -> frozenset[str]:
        """Those of the streams of open `cases` that are gone, as of the last look."""
        if cases and time.monotonic() - self._looked >= self._every:
            gone = await self._look(await temporal(), sorted(cases))
            for case in sorted(gone - self._gone):
                _log.error("reactor.case_gone", case=case)
            self._gone, self._looked = gone, time.monotonic()
        return self._gone & cases

    async def _look(self, client: Client, cases: Sequence[str]) -> frozenset[str]:
        gone, newest = set(), set[str]()
        until = datetime.now(UTC) - self._ended_for
        for first in range(0, len(cases), _AT_ONCE):
            named = ", ".join(f"'{case}'" for case in cases[first : first + _AT_ONCE])
            async for run in client.list_workflows(f"WorkflowId IN ({named})"):
                if run.id in newest:
                    continue  # the newest comes first
                newest.add(run.id)
                if run.status not in _LIVE and run.close_time is not None and run.close_time <= until:
                    gone.add(run.id)
        # What runs may not be listed yet.
        unlisted = await case_runs.statuses(client, [case for case in cases if case not in newest])
        return frozenset(gone | {case for case, status in unlisted.items() if status is None})
