"""Kills under a learning cycle, at moments of its own history, and how long it took each time to go on."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from temporalio.client import Client, WorkflowHandle

from tests.faults.callers import answered
from tests.faults.learning_nodes import Nodes
from tests.faults.whole_stack import WholeStack
from workflows import names
from workflows.names import RUN_LEARNING_CYCLE, learning_stream

ENDS_WITHIN = 240.0  # seconds from its start
_LOOK_EVERY = 0.01
_ON_ITS_WAY = 0.002  # that what was asked for beside the cycle has left this process when something dies
_LAST = 0.96  # of the history's length: what was not met by then is not waited for
_STARTED = 2  # a pending activity that a worker has taken

ALONE = ("prepare_cycle", "train_round", "aggregate_round", "append_events", "publish_model")
TOGETHER = (*ALONE, "exchange", "route")
"""Steps of a cycle in which a process may die; with secure sums there are messages, too."""


@dataclass(frozen=True, slots=True)
class Strike:
    """Kill `victim` once the history is `at` of its length: in `step`, if that is met within a round."""

    at: float
    step: str
    victim: str


def drawn(
    chance: Random, kills: int, steps: Sequence[str], victims: Sequence[str], *, paired: bool = False
) -> list[Strike]:
    """`kills` strikes in the order of their moments, each of another victim; `paired`: always two at once."""
    moments = [(chance.uniform(0, 0.9), chance.choice(steps)) for _ in range(kills)]
    if paired:
        moments = moments[: (kills + 1) // 2] * 2
    chosen = chance.sample(list(victims), kills)
    return [Strike(at, step, victim) for (at, step), victim in zip(sorted(moments), chosen, strict=False)]


@dataclass
class Chaos:
    """Cycles on a stack with nodes, and what was killed under them."""

    stack: WholeStack
    nodes: Nodes
    client: Client
    struck: list[dict[str, Any]] = field(default_factory=list)

    async def start(self, request: dict[str, Any]) -> WorkflowHandle[Any, Any]:
        stream = learning_stream(request["id"])
        return await answered(
            lambda: self.client.start_workflow(
                RUN_LEARNING_CYCLE, request, id=stream, task_queue=names.TASK_QUEUE
            )
        )

    async def whole(self, request: dict[str, Any]) -> tuple[dict[str, Any], int]:
        """Run it undisturbed: its outcome, and how long its history became."""
        handle = await self.start(request)
        outcome = await asyncio.wait_for(handle.result(), ENDS_WITHIN)
        return outcome, (await handle.describe()).history_length

    async def disturbed(
        self, request: dict[str, Any], strikes: Sequence[Strike], length: int, beside: Callable[[], None]
    ) -> dict[str, Any]:
        """Run it, killing as `strikes` say, each time right after `beside`; its outcome."""
        a_round, handle = length // request["rounds"], await self.start(request)
        struck, left = [], list(strikes)
        async with asyncio.timeout(ENDS_WITHIN):
            while True:
                open_now, reached, doing = await _look(handle)
                _recovered(struck, reached if open_now else None, a_round)
                if not open_now:
                    break
                if left and _due(left[0], reached, doing, length, a_round) and self._runs(left[0].victim):
                    beside()
                    await asyncio.sleep(_ON_ITS_WAY)
                    struck.append(await self._strike(left.pop(0), reached, doing))
                await asyncio.sleep(_LOOK_EVERY)
            self.struck += struck
            return await answered(handle.result)

    def figures(self) -> dict[str, Any]:
        """Of all kills so far: how many, in which steps, and the seconds until a round's length later."""
        by: dict[str, list[float]] = {}
        for one in self.struck:
            by.setdefault(one["victim"], []).append(one["seconds"])
        return {
            "kills": {victim: len(seconds) for victim, seconds in sorted(by.items())},
            "worst_s": {victim: round(max(seconds), 1) for victim, seconds in sorted(by.items())},
            "during": sorted({step for one in self.struck for step in one["doing"]}),
        }

    def _runs(self, victim: str) -> bool:
        return victim in self.nodes.pids or self.stack.pid(victim) is not None

    async def _strike(self, strike: Strike, reached: int, doing: frozenset[str]) -> dict[str, Any]:
        if strike.victim in self.nodes.pids:
            await self.nodes.kill(strike.victim)
        else:
            self.stack.kill(strike.victim)
        victim = "node" if strike.victim in self.nodes.pids else strike.victim
        return {"victim": victim, "doing": sorted(doing), "reached": reached, "began": time.monotonic()}


def _due(strike: Strike, reached: int, doing: frozenset[str], length: int, a_round: int) -> bool:
    at = int(strike.at * length)
    return reached >= min(at + a_round, int(_LAST * length)) or (reached >= at and strike.step in doing)


def _recovered(struck: list[dict[str, Any]], reached: int | None, a_round: int) -> None:
    for one in struck:
        if "seconds" not in one and (reached is None or reached >= one["reached"] + a_round):
            one["seconds"] = time.monotonic() - one["began"]


async def _look(handle: WorkflowHandle[Any, Any]) -> tuple[bool, int, frozenset[str]]:
    """Whether it runs, how long its history is, and what its workers are doing."""
    seen = await answered(handle.describe)
    pending = seen.raw_description.pending_activities
    doing = frozenset(one.activity_type.name for one in pending if one.state == _STARTED)
    return seen.close_time is None, seen.history_length, doing
