"""The whole stack as one: started in parallel, announced in a file, kept running, stopped in order."""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from domain.refusal import Refusal
from workers import settings
from workers.embedded import folder, logfile, ports, regions, stackfile
from workers.embedded.child import Child
from workers.embedded.guard import Guard
from workers.embedded.jars import Progress
from workers.embedded.server import Part
from workers.embedded.servers import Servers
from workers.embedded.supervised import Happening, Supervised
from workers.embedded.worker import Worker, moot

WORKERS = ("orchestrator", "projector")
MIGRATIONS = ("migrate",)
_MIGRATED_WITHIN = 60.0  # seconds

Tell = Callable[[dict[str, Any]], None]


class Stack:
    """The servers that the environment does not point at elsewhere, then migrations, then our own workers.

    Args:
        data: the folder of all state; it is locked as long as this stack lives.
        mode: which ports Temporal takes, `default` or `auto`.
        environ: the environment of every child.
        tell: gets an object for each thing an operator wants to see; called from several threads.
        progress: told while Kafka's jars are downloaded.
        own: the workers to run.
        migrations: the `moot` command that brings the servers up to date, or nothing.
        shared: regions of the shared context to have from now on, one at least; None for none at all. With
            two the replicator runs beside `own`.

    Raises:
        Refusal: another stack runs on the folder, the disk is nearly full, or a port is taken.
    """

    def __init__(
        self,
        data: Path,
        mode: str,
        environ: Mapping[str, str],
        tell: Tell,
        progress: Progress,
        *,
        own: Sequence[str] = WORKERS,
        migrations: Sequence[str] = MIGRATIONS,
        shared: Sequence[str] | None = None,
    ) -> None:
        self._began = time.monotonic()
        self._data, self._environ, self._tell = data, environ, tell
        elsewhere = settings.external(environ)
        self._claim = folder.claim(data)
        own_kafka = "kafka" not in elsewhere
        there = [] if shared is None else regions.settle(data, shared, default=own_kafka)
        named = [word for region in there for word in ("--region", region)]
        self._migrations = [*migrations, *named] if migrations else []
        if own and len(there) > 1:
            own = [*own, "replicator"]
        chosen = ports.settle(data, mode, temporal_elsewhere="temporal_address" in elsewhere)
        self._servers = Servers(data, chosen, environ, elsewhere, progress)
        self._guard = Guard(keep_open=(self._claim.children,))
        self._first = [self._supervise(part) for part in self._servers.own()]
        self._then = [self._supervise(Worker(name, data, version("folkmoot"))) for name in own]
        self._publishing = threading.Lock()
        self._lost = threading.Event()
        self.ready = False

    def start(self) -> None:
        """Return when everything is ready.

        Raises:
            Refusal: a part could not be started; what did start runs until `stop`.
        """
        _start_all(self._first)
        self._publish()
        self._migrate()
        _start_all(self._then)
        self.ready = True
        self._publish()
        self._tell(
            {"state": "ready", "seconds": round(time.monotonic() - self._began, 1), "ui": self._servers.ui}
        )

    def wait(self) -> None:
        """Block as long as the servers can be kept running, and keep the parts' logs bounded.

        Raises:
            Refusal: one had to be given up, and without it the stack is of no use.
        """
        logfile.keep_bounded([part.log for part in (*self._first, *self._then)], self._lost)
        raise next(server.problem for server in self._first if server.problem is not None)

    def stop(self) -> None:
        """End the workers, so that they let go of what they hold, then the servers; at most 10 s in all."""
        stackfile.remove(self._data)
        for parts in (self._then, self._first):
            threads = [threading.Thread(target=part.stop) for part in parts]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self._guard.close()
        self._claim.release()

    def _supervise(self, part: Part) -> Supervised:
        log = self._data / "log" / f"{part.name}.log"
        room = lambda: folder.free_mib(self._data) >= folder.LEAST_TO_GO_ON  # noqa: E731 # one question
        return Supervised(part, log, self._guard, self._environ, self._happened, room=room)

    def _happened(self, supervised: Supervised, what: Happening) -> None:
        free = folder.free_mib(self._data)
        self._tell(
            {
                "state": what,
                **supervised.described(),
                "problem": str(supervised.problem or ""),
                "free_mib": free,
            }
        )
        if self.ready:
            with contextlib.suppress(OSError):  # a full disk: the file is as it was, and the line was said
                self._publish()
        if what == "gave up" and supervised in self._first:
            self._lost.set()

    def _publish(self) -> None:
        parts = {one.part.name: one.described() for one in (*self._first, *self._then)}
        with self._publishing:
            own = {"pid": os.getpid(), "ready": self.ready, "ui": self._servers.ui, "parts": parts}
            stackfile.write(self._data, {**own, **self._servers.addresses()})

    def _migrate(self) -> None:
        # In a child, so that what it imports (some 80 MB of SQL and clients) does not stay here for good.
        if not self._migrations:
            return
        log = self._data / "log" / "migrate.log"
        log.unlink(missing_ok=True)
        child = Child(
            moot(*self._migrations), log, self._guard, {**self._environ, "FOLKMOOT_DATA": str(self._data)}
        )
        try:
            ended = child.wait(_MIGRATED_WITHIN)
        finally:
            if child.status is None:
                child.kill()
                child.wait(None)
        if not ended or child.status != 0:
            said = logfile.last_line(log).removeprefix("moot: ") or "did not end in time"
            raise Refusal("migrate", f"{said}; all of it is in {log}")


def _start_all(parts: Sequence[Supervised]) -> None:
    for part in parts:
        part.start()
    for part in parts:
        part.wait_until_ready()
