"""What is folded but not yet committed. Folding goes on while a commit runs; the next one takes it all.

So a transaction is as large as the load: one event when there is little to do, tens of thousands of events on
few streams when there is much.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from projections.batch import Folded
from projections.states import Stream

BULK = 100  # events at once: fewer are news, and do not wait for company


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is worth a transaction, and how much may wait for one.

    `worth_rows` streams or `worth_events` events are taken at once; less is taken when nothing has come for
    `pause` seconds, or with `pause` None at the end. Folding waits while `most_rows` or `most_events` wait.
    """

    worth_rows: int
    worth_events: int
    most_rows: int
    most_events: int
    pause: float | None


class Handover:
    """Between the task that folds and the task that commits."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._waiting: Folded | None = None
        self._ended = False
        self._ready = asyncio.Event()
        self._room = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def streams(self) -> Mapping[str, Stream]:
        """Those that wait to be written, by name: what the tables say of them is out of date."""
        return self._waiting.touched if self._waiting else {}

    async def give(self, folded: Folded) -> None:
        """Add what follows; returns when there is room for more."""
        if self._waiting is None:
            self._waiting = folded
        else:
            self._waiting.absorb(folded)
        self._set_timer(folded.events)
        waiting, bounds = self._waiting, self._bounds
        if len(waiting.touched) >= bounds.worth_rows or waiting.events >= bounds.worth_events:
            self._ready.set()
        if len(waiting.touched) >= bounds.most_rows or waiting.events >= bounds.most_events:
            self._room.clear()
            await self._room.wait()

    def end(self) -> None:
        """Nothing more will be given."""
        self._ended = True
        self._ready.set()

    async def ready(self) -> bool:
        """Whether there is something to take, as soon as it is worth it; False at the end."""
        await self._ready.wait()
        return self._waiting is not None

    def take(self) -> Folded:
        """All that waits."""
        if self._waiting is None:
            raise LookupError("nothing waits")
        taken, self._waiting = self._waiting, None
        self._cancel_timer()
        if not self._ended:
            self._ready.clear()
        self._room.set()
        return taken

    def _set_timer(self, events: int) -> None:
        self._cancel_timer()
        if self._bounds.pause is not None:
            pause = self._bounds.pause if events >= BULK else 0
            self._timer = asyncio.get_running_loop().call_later(pause, self._ready.set)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
