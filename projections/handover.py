"""What is folded but not yet committed. Folding goes on while a commit runs; the next one takes it all.

So a transaction is as large as the tables are slow: one event when there is little to do, tens of thousands
of events on few streams when there is much.
"""

import asyncio

from projections.batch import Folded
from projections.states import Stream


class Handover:
    """Between the task that folds and the task that commits.

    Folding pauses while `rows` streams or `events` events wait. Nothing is ready before `least` streams wait,
    or the end is reached.
    """

    def __init__(self, rows: int, events: int, least: int = 0) -> None:
        self._rows, self._events, self._least = rows, events, least
        self._waiting: Folded | None = None
        self._ended = False
        self._filled = asyncio.Event()
        self._room = asyncio.Event()

    def stream(self, name: str) -> Stream | None:
        """A stream that waits to be written: what the tables say of it is out of date."""
        return self._waiting.touched.get(name) if self._waiting else None

    async def give(self, folded: Folded) -> None:
        """Add what follows; returns when there is room for more."""
        if self._waiting is None:
            self._waiting = folded
        else:
            self._waiting.absorb(folded)
        if len(self._waiting.touched) >= self._least:
            self._filled.set()
        if len(self._waiting.touched) >= self._rows or self._waiting.events >= self._events:
            self._room.clear()
            await self._room.wait()

    def end(self) -> None:
        """Nothing more will be given."""
        self._ended = True
        self._filled.set()

    async def ready(self) -> bool:
        """Whether there is something to take, as soon as there is; False at the end."""
        await self._filled.wait()
        return self._waiting is not None

    def take(self) -> Folded:
        """All that waits."""
        if self._waiting is None:
            raise LookupError("nothing waits")
        taken, self._waiting = self._waiting, None
        if not self._ended:
            self._filled.clear()
        self._room.set()
        return taken
