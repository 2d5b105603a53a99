"""The demo's fleet: twenty node processes, kept running, killed, replaced by liars, ended with it."""

import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from threading import Thread

from cli.demo_learning_data import names
from workers import ready
from workers.embedded.guard import Guard
from workers.embedded.server import Launch
from workers.embedded.supervised import Supervised
from workers.embedded.worker import moot

AT_ONCE = 4
"""Nodes that start at the same moment: each takes a core for about a second."""


class Node:
    """One node process as the supervisor knows it; `lies`: from its next start on it is the demo's own."""

    start_within = 60.0
    stop_within = 3.0
    restarts = 3
    address = ""

    def __init__(self, name: str, region: str, data: Path, home: Path) -> None:
        self.name, self.region, self.version = name, region, version("folkmoot")
        self.lies = self.held = False
        self._data, self._home = data, home

    def prepare(self) -> Launch:
        told = ("--id", self.name, "--region", self.region, "--data", str(self._data))
        lying = [sys.executable, "-P", "-m", "cli.demo_learning_node", *told]
        return Launch(lying if self.lies else moot("worker", "node", *told))

    def ready(self, pid: int) -> bool:
        return ready.is_ready(self._home, "node", pid)


class Fleet:
    """`home`: the folder of the nodes' own state, in which nothing of the stack's is to be found."""

    def __init__(
        self, home: Path, guard: Guard, environ: Mapping[str, str], data: Mapping[str, Path]
    ) -> None:
        logs = home / "log"
        logs.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._nodes = {name: Node(name, region, data[name], home) for name, region in names().items()}
        self._parts = {
            name: Supervised(node, logs / f"{name}.log", guard, environ, _silent, room=_free(node))
            for name, node in self._nodes.items()
        }

    def start(self) -> None:
        """Start all, a few at once; returns when all are at work.

        Raises:
            Refusal: one could not be started.
        """
        with ThreadPoolExecutor(AT_ONCE) as few:
            list(few.map(_started, self._parts.values()))

    def stop(self) -> None:
        threads = [Thread(target=part.stop) for part in self._parts.values()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def pids(self) -> dict[str, int]:
        return {name: part.pid for name, part in self._parts.items() if part.pid is not None}

    def ready(self, name: str) -> bool:
        return self._parts[name].ready

    def kill(self, name: str) -> int:
        """`kill -9`, whatever it does just now; it is started again, unless it is held. Its process id."""
        pid = self.pids()[name]
        os.kill(pid, signal.SIGKILL)
        return pid

    def hold(self, name: str, *, down: bool) -> None:
        """Whether it stays down once it died."""
        self._nodes[name].held = down

    def lie(self, name: str) -> None:
        """From its next start on it sends the opposite of what its training found."""
        self._nodes[name].lies = True


def _silent(_part: Supervised, _what: str) -> None:
    """What happens to nodes is what the demo does to them, and it says so itself."""


def _free(node: Node) -> Callable[[], bool]:
    return lambda: not node.held


def _started(part: Supervised) -> None:
    part.start()
    part.wait_until_ready()


@contextmanager
def running(data: Path, temporal: str, files: Mapping[str, Path]) -> Iterator[Fleet]:
    """The fleet of the stack in `data`, for as long as the block takes; nodes know of Temporal alone."""
    home = data / "fleet"
    own = {
        "FOLKMOOT_DATA": str(home),
        "FOLKMOOT_ARTIFACTS": str(data / "artifacts"),
        "TEMPORAL_ADDRESS": temporal,
    }
    guard = Guard()
    fleet = Fleet(home, guard, {**os.environ, **own}, files)
    try:
        fleet.start()
        yield fleet
    finally:
        fleet.stop()
        guard.close()


def megabytes(pids: Iterable[int]) -> float:
    """Proportional set size of all these processes in MB; 0 where the kernel does not tell it."""
    return round(sum(map(_proportional, pids)) / 1000, 1)


def _proportional(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) * 1.024 for line in lines if line.startswith("Pss:")), 0.0)
