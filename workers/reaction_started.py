"""Cases of which the tables do not tell whether their workflows run: each keeps its place in the bound."""

import time
from collections.abc import KeysView
from dataclasses import dataclass

import structlog
from temporalio.client import Client, WorkflowExecutionStatus

from projections.reaction_queries import ReactionQueries
from workers import case_runs

_log = structlog.get_logger(__name__)

_UNSEEN_FOR = 60.0  # seconds after which a case that was started should have been projected


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
        self._told(await case_runs.statuses(client, asked))

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
