"""One of our own processes as a part of the stack: `moot worker NAME`."""

import sys
from pathlib import Path

from workers import ready
from workers.embedded.server import Launch


def moot(*arguments: str) -> list[str | Path]:
    """A `moot` command by this very interpreter; -P keeps a `cli` folder of the user's out of its way."""
    return [sys.executable, "-P", "-m", "cli.main", *arguments]


class Worker:
    """`name` is the worker's: orchestrator, projector. It finds the servers through the stack's file."""

    start_within = 60.0
    stop_within = 3.0
    restarts = 10  # with the pauses between, most of a minute: a server may be starting again, too
    address = ""

    def __init__(self, name: str, data: Path, version: str) -> None:
        self.name, self._data, self.version = name, data, version

    def prepare(self) -> Launch:
        ready.clear(self._data, self.name)
        return Launch(moot("worker", self.name), environ={"FOLKMOOT_DATA": str(self._data)})

    def ready(self, pid: int) -> bool:
        return ready.is_ready(self._data, self.name, pid)
