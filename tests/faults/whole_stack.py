"""A whole stack whose parts are killed, frozen and kept down, and what became of them."""

import asyncio
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workers.embedded.stack import Stack
from workers.embedded.supervised import Supervised
from workers.embedded.worker import moot
from workers.settings import Settings, load

PARTS = ("kafka", "postgres", "temporal", "orchestrator", "projector")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed, its exit status, and how many seconds it took."""

    status: int
    out: str
    err: str
    seconds: float


class WholeStack:
    """Everything that `moot dev` runs, in `folder`, on free ports."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.happened: list[dict[str, Any]] = []
        self.environ = {k: v for k, v in os.environ.items() if not k.startswith(("FOLKMOOT_", "TEMPORAL_"))}
        self._data = folder / ".folkmoot"
        self._stack = Stack(self._data, "auto", self.environ, self.happened.append, lambda *_: None)

    @property
    def settings(self) -> Settings:
        return load(self.folder, self.environ)

    def start(self) -> None:
        self._stack.start()

    def stop(self) -> None:
        self._stack.stop()

    def pid(self, part: str) -> int | None:
        return self._part(part).pid

    def ready(self, part: str) -> bool:
        return self._part(part).ready

    def log(self, part: str) -> str:
        return self._part(part).log.read_text("utf-8", "replace")

    def events(self, part: str, name: str) -> list[dict[str, Any]]:
        """The structured lines of a worker's log that bear this event name."""
        lines = [line for line in self.log(part).splitlines() if line.startswith("{") and f'"{name}"' in line]
        return [found for found in map(json.loads, lines) if found.get("event") == name]

    def megabytes(self, part: str) -> int:
        """Resident memory of the part's own process."""
        pages = Path(f"/proc/{self.pid(part)}/statm").read_text("ascii").split()[1]
        return int(pages) * _PAGE >> 20

    def kill(self, part: str) -> int:
        """Kill -9; the process id that was."""
        pid = self._running(part)
        os.kill(pid, signal.SIGKILL)
        return pid

    @contextmanager
    def frozen(self, part: str) -> Iterator[None]:
        """It keeps its connections and answers nothing: the worst way to be away."""
        pid = self._running(part)
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    @contextmanager
    def kept_down(self, part: str) -> Iterator[None]:
        """Kill -9, and no new start before the end of the block."""
        supervised, allowed = self._part(part), threading.Event()
        prepare = supervised.part.prepare

        def later() -> Any:
            allowed.wait()
            return prepare()

        supervised.part.prepare = later  # type: ignore[method-assign] # a supervisor prepares before each start
        try:
            self.kill(part)
            yield
        finally:
            supervised.part.prepare = prepare  # type: ignore[method-assign] # as above
            allowed.set()

    async def moot(self, *words: str, within: float = 120.0, **environ: str) -> Said:
        """Run a `moot` command as a user in the stack's folder would."""
        began = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            *map(str, moot(*words)),
            cwd=self.folder,
            env=self.environ | environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(within):
                out, err = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return Said(process.returncode or 0, out.decode(), err.decode(), time.monotonic() - began)

    def _part(self, name: str) -> Supervised:
        return next(p for p in (*self._stack._first, *self._stack._then) if p.part.name == name)

    def _running(self, part: str) -> int:
        pid = self.pid(part)
        assert pid is not None, f"{part} does not run"
        return pid
