"""One guarded child process: its own session, its own log file, ended with certainty."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from workers.embedded.guard import Guard

_KILLED_WITHIN = 5.0  # seconds; SIGKILL cannot be refused, but a process in the kernel takes its time
# The child waits for one word before it becomes what it shall be. If the parent is killed between the fork
# and the moment the guard knows the child, the word never comes and the child ends by itself.
_GATE = 'read -r word && exec "$@" </dev/null'


class Child:
    """A running process.

    It has a session of its own, so that Ctrl-C in the terminal reaches only the parent, which then stops its
    children in order. Output is appended to `log`.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        log: Path,
        guard: Guard,
        environ: Mapping[str, str],
        kill_with: signal.Signals = signal.SIGKILL,
        *,
        folder: Path | None = None,
    ) -> None:
        self._guard = guard
        self._ended = threading.Event()
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 # commands are put together by this package
                ["/bin/sh", "-c", _GATE, "moot-child", *map(str, command)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=folder,
                env=dict(environ),
                umask=0o077,  # what the servers store and log is their owner's business
            )
        guard.add(self._process.pid, kill_with)
        self._open_gate()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def status(self) -> int | None:
        """Its exit status, negative for a signal; None while it runs."""
        return self._process.returncode

    def wait(self, within: float | None) -> bool:
        """Whether it ended within that many seconds (None: however long it takes). For one thread only."""
        try:
            self._process.wait(within)
        except subprocess.TimeoutExpired:
            return False
        self._guard.remove(self.pid)
        self._ended.set()
        return True

    def stop(self, politely: signal.Signals, within: float) -> None:
        """Ask it to end; after `within` seconds kill it. Some other thread is in `wait`."""
        self._process.send_signal(politely)
        if not self._ended.wait(within):
            self.kill()
            self._ended.wait(_KILLED_WITHIN)

    def kill(self) -> None:
        """End it and all of its process group at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def _open_gate(self) -> None:
        pipe = self._process.stdin
        if pipe is None:
            raise RuntimeError("a child was started without a pipe")
        with contextlib.suppress(OSError):  # it may have died already; whoever waits for it will be told
            pipe.write(b"go\n")
            pipe.close()
