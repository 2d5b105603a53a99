"""Looks on while a thread trains: how far it is, when its time is up, whether nobody waits any more."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity

from activities.progress import CURRENT, Progress
from domain.learning.trainer import Tell


class OutOfTime(Exception):
    """The deadline is over, and work done in part does not count."""


HANGS = 1.0
"""Seconds after the deadline in which a trainer may notice it, until it is left behind."""


class Unwanted(BaseException):
    """The activity was cancelled while a thread of it trained; not an error that a trainer would catch."""


@dataclass(slots=True)
class Watch:
    """`now`: a clock of seconds that never goes back; `until`: the deadline by it.

    `clients`: how many train one after the other; `begun`: how many of them have begun.
    """

    now: Callable[[], float]
    until: float
    partial: bool
    progress: Progress
    clients: int = 1
    begun: int = 0
    stopped: bool = False

    @classmethod
    def of_activity(cls, seconds: float, *, partial: bool, clients: int) -> "Watch":
        """`seconds` from when the activity was first asked for: Temporal's clock says how many are over."""
        info, now = activity.info(), asyncio.get_running_loop().time
        over: timedelta = max(info.started_time - info.scheduled_time, timedelta(0))
        until = now() + seconds - over.total_seconds()
        return cls(now, until, partial, CURRENT.get() or Progress(), clients)

    @property
    def patience(self) -> float:
        """Seconds until a training that says nothing is given up, before its whole host is late."""
        return max(self.until - self.now(), 0.0) + HANGS

    def stop(self) -> None:
        """End what still trains at its next step."""
        self.stopped = True

    def begin(self, client: str) -> Tell:
        """What a trainer tells after each step of `client`; the heartbeats carry the newest of it.

        Raises:
            OutOfTime: there is no time left to begin in.
        """
        if self.now() >= self.until:
            raise OutOfTime
        self.begun += 1
        place = [self.begun, self.clients]

        def tell(done: int, planned: int) -> bool:
            if self.stopped:
                raise Unwanted
            self.progress.details = [client, done, planned, *place]
            if self.now() < self.until or done >= planned:
                return True
            if not self.partial:
                raise OutOfTime
            return False

        return tell
