"""One seeded run on real servers: writes and reads while all is killed, frozen and cut off; then healed."""

import asyncio
import json
import os
import signal
import time
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from random import Random

from domain.context.layers import NAMES
from domain.context.policy import ContextPolicy, policy_from
from eventlog.reader import LogReader
from projections.reaction_queries import ReactionQueries
from tests.faults import context_ends
from tests.faults.context_processes import Processes
from tests.faults.context_record import History, Key
from workers.embedded.supervised import Supervised

CALLERS = 2  # of each node, at the same time
HEALED_WITHIN = 90.0  # seconds


class Chaos:
    """`broker` is killed only where `broker_dies`, which takes seconds."""

    def __init__(self, processes: Processes, broker: Supervised, seed: int, *, broker_dies: bool) -> None:
        self.processes, self.broker, self.chance = processes, broker, Random(seed)  # noqa: S311 # chance, not secrecy
        self.broker_dies, self.happened = broker_dies, Counter[str]()
        self.prefix = processes.environ["FOLKMOOT_TOPIC_PREFIX"]
        stated = json.loads((processes.folder / "context.json").read_text())
        self.policy: ContextPolicy = policy_from(stated)
        tag = self.prefix.strip(".")  # runs share a Temporal, which takes the id of a key's case once
        self.contested: Key = ("situational", f"case-{tag}")
        self.places: list[Key] = [(layer, f"{key}-{tag}") for layer in NAMES for key in ("a", "b")]
        self.places.append(("cultural", f"pin/{tag}"))
        self._number, self._later = 0, set[asyncio.Task[None]]()

    async def run(self, seconds: float) -> History:
        processes = self.processes
        for name in [*processes.nodes, "projector", "orchestrator"]:
            await processes.start(name)
        await asyncio.gather(*(self._put(node, self.contested, "first") for node in processes.nodes))
        for name in processes.replicators:
            await processes.start(name)
        until = time.monotonic() + seconds
        await asyncio.gather(
            self._strikes(until),
            *(self._calls(node, f"c{n}", until) for node in processes.nodes for n in range(CALLERS)),
        )
        await asyncio.gather(*self._later)
        return await self._healed()

    async def _calls(self, node: str, caller: str, until: float) -> None:
        chance = Random(f"{self.chance.random()} {node} {caller}")  # noqa: S311 # as above
        while time.monotonic() < until:
            await asyncio.sleep(chance.uniform(0, 0.06))  # as agents do: nothing is waited for
            place = chance.choice(self.places) if chance.random() < 0.95 else self.contested
            if chance.random() < 0.4:
                await self.processes.get(node, place, caller=caller)
                continue
            fields: dict[str, object] = {"flags": ["user_facing"]} if chance.random() < 0.2 else {}
            if chance.random() < 0.1:
                fields["fresh"] = True
            if chance.random() < 0.1:
                fields["if_version"] = "none"
            await self._put(node, place, caller, **fields)

    async def _put(self, node: str, place: Key, caller: str, **fields: object) -> None:
        self._number += 1
        said = f"v{self._number}"
        values = {
            "situational": said if place == self.contested else {node: said},
            "historical": {"at": f"2026-01-01T00:00:{self._number % 60:02}+00:00", "said": said},
        }
        await self.processes.put(
            node, place, values.get(place[0], said), caller=caller, writer=node, **fields
        )

    async def _strikes(self, until: float) -> None:
        if self.broker_dies:
            self._soon(self._broker_killed())
        while time.monotonic() < until:
            await asyncio.sleep(self.chance.uniform(0.02, 0.35))  # the moment is the point
            alive = [name for name in self.processes.pids if name != "orchestrator"]
            name, what = self.chance.choice([*alive, "broker"]), self.chance.random()
            if name == "broker":
                self.happened["broker frozen"] += 1
                self._soon(
                    self._broker_frozen(self.chance.uniform(0.05, 0.5))
                )  # what dies now dies in the middle
            elif what < 0.7:
                self.happened[f"{_kind(name)} killed"] += 1
                await self.processes.end(name)
                self._soon(self._restarted(name, self.chance.uniform(0, 0.6)))
            else:
                self.happened[f"{_kind(name)} frozen"] += 1
                self._soon(self.processes.frozen(name, self.chance.uniform(0.05, 0.5)))

    async def _restarted(self, name: str, after: float) -> None:
        """Until then the node, the link or the table is cut off."""
        again = name.startswith("replicator") and self.chance.random() < 0.15
        self.happened["passed on again"] += again
        await asyncio.sleep(after)
        await self.processes.start(name, again=again)

    async def _broker_killed(self) -> None:
        await asyncio.sleep(self.chance.uniform(0.3, 1.5))
        self.happened["broker killed"] += 1
        if self.broker.pid is not None:
            os.kill(self.broker.pid, signal.SIGKILL)

    async def _broker_frozen(self, seconds: float) -> None:
        pid = self.broker.pid
        if pid is not None and self.broker.ready:
            with suppress(ProcessLookupError):  # it may be killed meanwhile
                os.kill(pid, signal.SIGSTOP)
                await asyncio.sleep(seconds)
                os.kill(pid, signal.SIGCONT)

    def _soon(self, doing: Coroutine[None, None, None]) -> None:
        self._later.add(asyncio.create_task(doing))

    async def _healed(self) -> History:
        processes, residency = self.processes, self.policy.residency
        names = processes.regions
        kafka, database = processes.environ["FOLKMOOT_KAFKA"], processes.environ["FOLKMOOT_DATABASE_URL"]
        until, still = time.monotonic() + HEALED_WITHIN, "nothing looked at"
        while not all([await processes.drained(node) for node in processes.nodes]):
            assert time.monotonic() < until, f"outboxes are not drained\n{processes.said()}"
        async with LogReader(kafka, self.prefix) as reader, ReactionQueries(database) as tables:
            while still := await context_ends.restless(reader, tables, names, residency):
                assert time.monotonic() < until, f"{still}\n{processes.said()}"
                await asyncio.sleep(0.05)
            for node in processes.nodes:
                for place in [*self.places, self.contested]:
                    await processes.get(node, place)
            ends = await context_ends.regions(reader, database, names, residency)
            cases = await context_ends.cases(reader)
        return History(tuple(processes.calls), ends, residency, cases)


def _kind(name: str) -> str:
    return "node" if name.endswith("-1") else name.partition(" ")[0]
