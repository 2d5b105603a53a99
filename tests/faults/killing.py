"""Kill -9 of a part at a random moment, and the seconds until work goes on that needs the part."""

import asyncio
import random
import time
from collections import defaultdict
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from tests.faults.positions import Position, Positions
from tests.faults.whole_stack import PARTS, WholeStack

GIVEN_UP = 60.0  # seconds without progress after a kill
_LOOK_EVERY = 0.03


@dataclass
class Kills:
    """Kills and what they cost. `chance` decides when; print its seed to have the same moments again."""

    stack: WholeStack
    positions: Positions
    chance: random.Random
    calm: float = 1.5  # seconds, at most, between a recovery and the next kill
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    megabytes: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    async def strike(self, part: str) -> None:
        """Wait for a random moment, kill, and return when there is progress again."""
        await asyncio.sleep(
            self.chance.uniform(0, self.calm)
        )  # the moment is the point: nothing is waited for
        wanted = {"projector": ["projected"], "postgres": ["projected"]}.get(part, ["written"])
        if part == "kafka":
            wanted.append("projected")
        watches = [_Watch(self.stack, part, getattr(self.positions, name)) for name in wanted]
        for watch in watches:
            await watch.before()
        killed, began = self.stack.kill(part), time.monotonic()
        await asyncio.gather(*(watch.progress(killed) for watch in watches))
        self.seconds[part].append(time.monotonic() - began)
        for name in PARTS:
            self.megabytes[name].append(self.stack.megabytes(name))

    def figures(self) -> dict[str, dict[str, Any]]:
        return {
            part: {"kills": len(s), "worst_s": round(max(s), 1), "median_s": round(median(s), 1)}
            for part, s in self.seconds.items()
        }

    def grown(self) -> dict[str, int]:
        """By how many megabytes each part is larger after the last kills than after the first."""
        few = 3
        return {part: round(median(m[-few:]) - median(m[:few])) for part, m in self.megabytes.items()}

    def lines(self) -> dict[str, int]:
        """How many lines each part has logged."""
        return {part: self.stack.log(part).count("\n") for part in PARTS}


class _Watch:
    """Sees a position pass what the killed process can have reached."""

    def __init__(self, stack: WholeStack, part: str, position: Position) -> None:
        self._stack, self._part, self._position = stack, part, position
        self._reached = -1

    async def before(self) -> None:
        self._reached = await self._position() or 0

    async def progress(self, killed: int) -> None:
        until = time.monotonic() + GIVEN_UP
        while True:
            renewed = self._stack.pid(self._part) not in {None, killed}
            seen = await self._position()
            if seen is not None and renewed and seen > self._reached:
                return
            if seen is not None and not renewed:
                self._reached = max(self._reached, seen)  # a commit that was on its way at the kill
            assert time.monotonic() < until, (
                f"no progress {GIVEN_UP:g} s after {self._part} {killed} was killed"
            )
            await asyncio.sleep(_LOOK_EVERY)
