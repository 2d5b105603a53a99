"""Work for a stack whose parts are killed: one docket after the other, two at a time, until it is enough."""

import asyncio
import random
import secrets
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from cli.docket_run import DocketRun, Handle
from domain.consensus.docket import DecideDocketRequest
from domain.refusal import Refusal
from domain.stream import item_stream
from tests.faults.callers import answered

AT_ONCE = 2
_CHOICES, _VOTERS, _BALLOTS = "abc", 12, 2


def table(items: int) -> bytes:
    """Two of twelve voters on each item, who agree more often than not; the same in every run."""
    chance = random.Random(1979)  # noqa: S311 # a crowd that can be had again, no secret
    rows = ["item,voter,choice"]
    for item in range(items):
        truth = chance.choice(_CHOICES)
        voters = chance.sample(range(_VOTERS), _BALLOTS)
        rows += [f"{item},v{v},{truth if chance.random() < 0.7 else chance.choice(_CHOICES)}" for v in voters]
    return "\n".join(rows).encode()


@dataclass
class Dockets:
    """`items` in each docket; `started` is how many items each of them has."""

    run: DocketRun
    items: int
    started: dict[str, int] = field(default_factory=dict)
    _enough: bool = False
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def begin(self) -> None:
        self._tasks = [asyncio.create_task(self._one_after_the_other()) for _ in range(AT_ONCE)]

    async def alongside(self, other: Coroutine[Any, Any, None]) -> None:
        """Do `other` as long as the dockets go on; what stops them is raised at once."""
        striking = asyncio.ensure_future(other)
        try:
            done, _ = await asyncio.wait({striking, *self._tasks}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            assert striking in done, "a docket's task ended by itself"
        finally:
            striking.cancel()

    async def finish(self, within: float) -> list[str]:
        """Start no more, and wait for those under way; the streams of all items that were to be decided."""
        self._enough = True
        async with asyncio.timeout(within):
            await asyncio.gather(*self._tasks)
        return [item_stream(name, index) for name, items in self.started.items() for index in range(items)]

    async def abandon(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _one_after_the_other(self) -> None:
        while True:
            name = f"chaos-{secrets.token_hex(4)}"
            self.started[name] = self.items
            handle = await self._start(name)
            outcome = await answered(handle.result, within=600)
            assert outcome.items == self.items, f"{name} closed with {outcome.items} of {self.items} items"
            if self._enough:
                return

    async def _start(self, name: str) -> Handle:
        ref = await self.run.artifacts.put(table(self.items))
        request = DecideDocketRequest(id=name, table=ref, topic="chaos")
        try:
            return await answered(lambda: self.run.start(request))
        except Refusal:  # the answer to an earlier try was lost together with the server
            return self.run.find(name)
