"""One part kept running: started, waited for, started again when it dies, stopped when asked."""

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from domain.refusal import Refusal
from workers.embedded import crashes, logfile
from workers.embedded.child import Child
from workers.embedded.guard import Guard
from workers.embedded.server import Launch, Part

_LOOK_EVERY = 0.02  # seconds between two looks whether it is ready
_LOOK_FOR_ROOM_EVERY = 1.0  # seconds
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 10.0  # seconds before it is started again, doubled each time in a row

Happening = Literal["ready", "died", "gave up"]
Tell = Callable[["Supervised", Happening], None]


class Supervised:
    """A part and the thread that looks after it.

    `tell` is called from that thread: `ready` each time the part became ready, `died` when it then ended
    without being asked, `gave up` when it cannot be started again; `problem` then holds the reason. It is
    started again only while `room` says that there is room for what it will write.
    """

    def __init__(
        self,
        part: Part,
        log: Path,
        guard: Guard,
        environ: Mapping[str, str],
        tell: Tell,
        *,
        room: Callable[[], bool] = lambda: True,
    ) -> None:
        self.part = part
        self.log = log
        self.problem: Refusal | None = None
        self.ready = False
        self._guard, self._environ, self._tell = guard, environ, tell
        self._room = room
        self._deaths: list[float] = []
        self._running: tuple[Child, Launch] | None = None
        self._stopping = threading.Event()
        self._settled = threading.Event()
        self._thread = threading.Thread(target=self._live, name=part.name, daemon=True)

    @property
    def pid(self) -> int | None:
        return self._running[0].pid if self._running else None

    def described(self) -> dict[str, Any]:
        """What a status line or the stack's file says of it."""
        part = self.part
        return {
            "part": part.name,
            "address": part.address,
            "version": part.version,
            "pid": self.pid,
            "log": str(self.log),
            "deaths": self._deaths,
        }

    def start(self) -> None:
        self._thread.start()

    def wait_until_ready(self) -> None:
        """Block until the first start has come to something.

        Raises:
            Refusal: it could not be started.
        """
        self._settled.wait()
        if self.problem is not None:
            raise self.problem

    def stop(self) -> None:
        """End it within the part's own limit; returns when it is gone."""
        self._stopping.set()
        running = self._running
        if running is not None:
            child, launch = running
            child.stop(launch.stop, self.part.stop_within)
        if self._thread.is_alive():
            self._thread.join(self.part.stop_within)  # it may be in the middle of a download

    def _live(self) -> None:
        try:
            self._look_after()
        except Exception as error:  # noqa: BLE001 # a part that nobody looks after must not go unnoticed
            self.problem = Refusal(self.part.name, f"cannot be looked after: {type(error).__name__}: {error}")
        if self.problem is not None and self._settled.is_set():
            self._tell(self, "gave up")
        self._settled.set()

    def _look_after(self) -> None:
        in_a_row = 0
        while self.problem is None and not self._stopping.is_set():
            was_ready = self._one_life()
            in_a_row = 1 if was_ready else in_a_row + 1
            if self._stopping.is_set() or self.problem is not None:
                break
            now = time.time()
            self._deaths = [*crashes.recent(self._deaths, now), now]
            if in_a_row > self.part.restarts:
                said = logfile.last_line(self.log)
                self.problem = Refusal(
                    self.part.name, f"ended {in_a_row} times in a row, saying {said!r}; see {self.log}"
                )
                break
            if self._settled.is_set():
                self._tell(self, "died")
            self._stopping.wait(min(_FIRST_PAUSE * 2 ** (in_a_row - 1), _LONGEST_PAUSE))
            while not self._room() and not self._stopping.wait(_LOOK_FOR_ROOM_EVERY):
                pass  # on a full disk it would die again at once, and soon be given up

    def _one_life(self) -> bool:
        # From preparation to end; whether it was ready in between.
        try:
            launch = self.part.prepare()
            child = self._spawn(launch)
        except (OSError, Refusal) as error:
            self.problem = error if isinstance(error, Refusal) else Refusal(self.part.name, str(error))
            return False
        self._running = (child, launch)
        if self._stopping.is_set():  # asked to stop while it was being prepared
            child.kill()
        self._watch(child)
        self._running = None
        was_ready, self.ready = self.ready, False
        return was_ready

    def _watch(self, child: Child) -> None:
        until = time.monotonic() + self.part.start_within
        while not child.wait(_LOOK_EVERY):
            if self.part.ready(child.pid):
                self.ready = True
                self._tell(self, "ready")
                self._settled.set()
                child.wait(None)
            elif time.monotonic() > until:
                child.kill()
                child.wait(None)

    def _spawn(self, launch: Launch) -> Child:
        environ = {**self._environ, **launch.environ}
        given = {name: value for name, value in environ.items() if value is not None}
        logfile.turn(self.log)
        return Child(launch.command, self.log, self._guard, given, launch.kill, folder=launch.folder)
