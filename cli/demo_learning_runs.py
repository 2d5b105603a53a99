"""Runs the demo's cycles, each through Temporal as any other, and tells of its rounds while they end."""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from temporalio.client import WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError

from cli.demo_consensus import Demo
from cli.demo_learning_data import CLASSES, FEATURES, SEED, Rows
from cli.learn_view import ended_round
from domain.artifact import ArtifactRef
from domain.learning import tensor_file
from domain.refusal import Refusal
from domain.strict_json import printable
from projections.learning_queries import LearningQueries
from workers.artifacts import FsspecArtifacts
from workflows import names

LOOK_SECONDS = 0.15
CYCLE_SECONDS = 120.0
NOT_HERE = "is not installed here"
Handle = WorkflowHandle[Any, Any]
Meanwhile = Callable[["Rounds"], Coroutine[None, None, None]]


@dataclass(frozen=True, slots=True)
class Plan:
    """One cycle to run: its `name`, what the tables call it, and what of the request is its own."""

    name: str
    title: str
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Rounds:
    """A cycle under way: every attempt of its rounds as the read model had them last."""

    handle: Handle
    attempts: list[dict[str, Any]] = field(default_factory=list)
    status: str = "training"

    @property
    def ended(self) -> list[dict[str, Any]]:
        return [one for one in self.attempts if one["status"] != "training"]

    @property
    def number(self) -> int:
        """Of the round that is under way; 0 before the first."""
        return max((one["round"] for one in self.attempts), default=0)


class Cycles:
    """Runs plans one after the other on the stack of `demo`."""

    def __init__(self, demo: Demo, tables: LearningQueries, holdout: ArtifactRef) -> None:
        self._demo, self._tables, self._holdout = demo, tables, holdout

    @classmethod
    async def on(cls, demo: Demo, tables: LearningQueries, holdout: Rows) -> "Cycles":
        """With `holdout` in the artifact store, which every round's model is evaluated on."""
        kept = await FsspecArtifacts(demo.settings.artifacts).put(tensor_file.encode(dict(holdout)))
        return cls(demo, tables, kept)

    def id(self, plan: Plan) -> str:
        """Of the cycle, and of the model, which so begins afresh."""
        return f"{plan.name}-{self._demo.run}"

    async def run(self, plan: Plan, meanwhile: Meanwhile | None = None) -> dict[str, Any]:
        """Its result with `title` and `attempts`, its rows; `refused` alone where it cannot be run.

        `meanwhile` runs beside it, and what it raises ends the demo.
        """
        began = time.monotonic()
        rounds = Rounds(await self._start(plan))
        beside = asyncio.create_task(_nothing() if meanwhile is None else meanwhile(rounds))
        try:
            async with asyncio.timeout(CYCLE_SECONDS):
                found = await self._followed(rounds, beside)
                await beside
        except TimeoutError:
            raise Refusal(
                plan.title, f"did not end within {CYCLE_SECONDS:g} s; see the stack's log"
            ) from None
        finally:
            beside.cancel()
        seconds = round(time.monotonic() - began, 1)
        return {"title": plan.title, "cycle": self.id(plan), "seconds": seconds, **found}

    async def _followed(self, rounds: Rounds, beside: asyncio.Task[None]) -> dict[str, Any]:
        """Say each round when it has ended, until the cycle's end is in the read model, too."""
        result = asyncio.create_task(rounds.handle.result())
        said = 0
        try:
            while rounds.status == "training":
                if beside.done():
                    beside.result()
                if result.done() and (error := result.exception()) is not None:
                    return {"refused": _refused(error)}
                await asyncio.wait({result}, timeout=LOOK_SECONDS)
                await self._look(rounds)
                for one in rounds.ended[said:]:
                    self._demo.say(f"     {ended_round(one)}")
                said = len(rounds.ended)
            return {**await result, "attempts": rounds.ended}
        finally:
            result.cancel()

    async def _look(self, rounds: Rounds) -> None:
        row = await self._tables.cycle(rounds.handle.id)
        if row is not None:
            rounds.attempts, rounds.status = json.loads(row["state"])["rounds"], row["status"]

    async def _start(self, plan: Plan) -> Handle:
        name, ref = self.id(plan), self._holdout
        request = {
            "id": name,
            "model": name,
            "trainer": {
                "name": "logistic-regression",
                "settings": {"features": FEATURES, "classes": CLASSES},
            },
            "rounds": 6,
            "cohort": {"share": 1, "minimum": 16, "size": 20},
            "local": {"epochs": 5, "batch": 10, "learning_rate": 0.5, "seconds": 20},
            "holdout": {"uri": ref.uri, "sha256": ref.sha256, "bytes": ref.bytes},
            "seed": SEED,
            **plan.more,
        }
        stream = names.learning_stream(name)
        self._demo.say(f"   {plan.title}: {self._demo.link(stream)}")
        return await self._demo.client.start_workflow(
            names.RUN_LEARNING_CYCLE,
            request,
            id=stream,
            task_queue=names.TASK_QUEUE,
            static_summary=plan.title,
        )


async def _nothing() -> None:
    """What goes on beside an undisturbed cycle."""


def _refused(error: BaseException) -> str:
    """Why a cycle could not be run at all.

    Raises:
        Refusal: it failed in another way.
    """
    cause = error.cause if isinstance(error, WorkflowFailureError) else error
    said = printable(cause.message if isinstance(cause, ApplicationError) else str(cause), 300)
    if NOT_HERE not in said:
        raise Refusal("demo learning", said)
    return said
