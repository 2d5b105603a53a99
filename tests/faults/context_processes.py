"""The processes of shared context in some regions: each is started, killed, frozen and started again."""

import asyncio
import itertools
import json
import os
import shutil
import signal
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

from domain.context.layers import NAMES
from domain.context.versions import dots_of
from tests.faults.context_record import Call, Key
from tests.faults.forking import NODE, Forks

SKEW_MS = 600_000
MEMBERS = 45
_WITHIN = 60.0  # seconds in which a node must answer, whatever befell it


class Processes:
    """For each region a node and a replicator of what it writes; for all a projector and an orchestrator."""

    def __init__(
        self, forks: Forks, servers: dict[str, str], regions: tuple[str, ...], chance: Random
    ) -> None:
        self._forks, self.regions = forks, regions
        self.folder = Path(tempfile.mkdtemp(prefix="moot-c-"))  # a socket's path must be short
        self.environ = {k: v for k, v in os.environ.items() if not k.startswith(("FOLKMOOT_", "TEMPORAL_"))}
        self.environ |= servers | _policies(self.folder, regions)
        self.skews = {region: chance.randint(-SKEW_MS, SKEW_MS) for region in regions}
        self.pids: dict[str, int] = {}
        self.calls: list[Call] = []
        self._moments = itertools.count(1)
        self._doors: dict[str, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = {}

    @property
    def nodes(self) -> list[str]:
        return [f"{region}-1" for region in self.regions]

    @property
    def replicators(self) -> list[str]:
        return [f"replicator {region}" for region in self.regions]

    async def start(self, name: str, *, again: bool = False) -> None:
        words = self._words(name) + (["--again"] if again else [])
        log = self.folder / f"{name}.log"
        self.pids[name] = await self._forks.start(words, self.environ, self.folder, log)

    async def end(self, name: str) -> None:
        pid = self.pids.pop(name, None)
        if pid is not None:
            await self._forks.end(pid)

    async def frozen(self, name: str, seconds: float) -> None:
        """It keeps its connections and does nothing; ended meanwhile, it stays so."""
        pid = self.pids.get(name)
        if pid is None:
            return
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(seconds)  # so long it is away
        if self.pids.get(name) == pid:
            os.kill(pid, signal.SIGCONT)

    async def close(self) -> None:
        for name in [*self.pids]:
            await self.end(name)
        for _, writer in self._doors.values():
            writer.close()
        shutil.rmtree(self.folder)

    def said(self) -> str:
        """The warnings of all of them, for who wants to know what happened."""
        logs = sorted(self.folder.glob("*.log"))
        lines = [f"{log.stem}: {line}" for log in logs for line in log.read_text("utf-8").splitlines()]
        return "\n".join(line for line in lines if '"level": "info"' not in line)

    async def put(self, node: str, place: Key, value: Any, *, caller: str = "", **fields: Any) -> None:
        call = self._call(node, "put", place, value)
        asked = {"do": "put", "layer": place[0], "key": place[1], "value": value, **fields}
        answer = await self._answer(node, caller, asked)
        if answer is None:
            return
        call.ended = next(self._moments)
        if "event" in answer:
            call.outcome, call.event = "ok", answer["event"]
            call.dots = dots_of(answer["version"])
        else:
            call.outcome = "fail"

    async def get(self, node: str, place: Key, *, caller: str = "") -> None:
        call = self._call(node, "get", place, None)
        answer = await self._answer(node, caller, {"do": "get", "layer": place[0], "key": place[1]})
        if answer is not None and "version" in answer:
            call.ended = next(self._moments)
            call.outcome, call.value, call.dots = "ok", answer["value"], dots_of(answer["version"])

    async def drained(self, node: str) -> bool:
        answer = await self._answer(node, "", {"do": "drain", "within": 1.0})
        return answer is not None and answer.get("left") == 0

    def _call(self, node: str, kind: Any, place: Key, value: Any) -> Call:
        call = Call(node, node.rpartition("-")[0], kind, place, next(self._moments), value)
        self.calls.append(call)
        return call

    async def _answer(self, node: str, caller: str, asked: dict[str, Any]) -> dict[str, Any] | None:
        """None where the node died before it answered: nobody knows then what it did."""
        door = f"{node} {caller}"
        if door not in self._doors:
            self._doors[door] = await self._opened(node)
        reader, writer = self._doors[door]
        line = b""
        with suppress(OSError):
            writer.write(json.dumps(asked).encode() + b"\n")
            async with asyncio.timeout(_WITHIN):
                line = await reader.readline()
        if line.endswith(b"\n"):
            found: dict[str, Any] = json.loads(line)
            return found
        writer.close()
        del self._doors[door]
        return None

    async def _opened(self, node: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        until = time.monotonic() + _WITHIN
        while True:
            try:
                return await asyncio.open_unix_connection(self.folder / node)
            except OSError:
                assert time.monotonic() < until, f"{node} does not come up\n{self.said()}"
                await asyncio.sleep(0.02)

    def _words(self, name: str) -> list[str]:
        kind, _, region = name.partition(" ")
        if kind == "replicator":
            others = [word for other in self.regions if other != region for word in ("--to", other)]
            return ["worker", "replicator", "--from", region, *others]
        if kind == "projector":
            return ["worker", "projector", "--no-sealing"]
        if kind == "orchestrator":
            return ["worker", "orchestrator"]
        region = name.rpartition("-")[0]
        return [NODE, region, name, str(self.skews[region]), str(self.folder / name)]


def _policies(folder: Path, regions: tuple[str, ...]) -> dict[str, str]:
    layers = {name: {"sync_seconds": 0.3} for name in NAMES if name != "immediate"}
    context = {
        "layers": layers | {"cultural": {"sync_seconds": 0.3, "precedence": regions}},
        "pins": [{"key": "pin/*", "regions": regions[:1]}],
    }
    members = [
        {"id": f"m{n}", "region": regions[n % len(regions)], "ballots": [{"choice": f"{regions[0]}-1-1"}]}
        for n in range(MEMBERS)
    ]
    closed = ("local_appeal_seconds", "regional_appeal_seconds", "global_appeal_seconds", "annulment_seconds")
    conflict = {"members": members, "policy": dict.fromkeys(closed, 0) | {"weighting": "equal"}}
    (folder / "context.json").write_text(json.dumps(context))
    (folder / "conflict.json").write_text(json.dumps(conflict))
    return {
        "FOLKMOOT_CONTEXT_POLICY": str(folder / "context.json"),
        "FOLKMOOT_CONFLICT_POLICY": str(folder / "conflict.json"),
        "FOLKMOOT_DATA": str(folder),
    }
