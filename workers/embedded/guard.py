"""What ends the children when their parent is killed without a chance to end them itself."""

import contextlib
import signal
import subprocess
import threading
from typing import IO

# The script learns of every child by a line on its standard input. That input ends when the parent is gone,
# however it went: the kernel closes the pipe. A clean stop has taken every child off the list before.
# Each child leads a process group, so the group is what is signalled. Postgres gets SIGQUIT, which its own
# children obey; what is left after a second gets SIGKILL. It is done, with or without success, in about 3 s.
_SCRIPT = """
trap '' HUP INT QUIT TERM
all=
while read -r op pid sig; do
  rest=
  for entry in $all; do
    if [ "${entry%:*}" != "$pid" ]; then rest="$rest $entry"; fi
  done
  all=$rest
  if [ "$op" = add ]; then all="$all $pid:$sig"; fi
done
tries=0
while [ -n "$all" ] && [ $tries -lt 30 ]; do
  rest=
  for entry in $all; do
    sig=0
    if [ $tries -eq 0 ]; then sig=${entry#*:}; fi
    if [ $tries -eq 10 ]; then sig=KILL; fi
    if kill -s $sig -- "-${entry%:*}" 2>/dev/null; then rest="$rest $entry"; fi
  done
  all=$rest
  tries=$((tries + 1))
  if [ -n "$all" ]; then sleep 0.1; fi
done
"""


class Guard:
    """One tiny shell in a session of its own.

    `keep_open` are file descriptors that stay open until the guard ends: the lock of the data folder, so that
    the next start does not begin before the last child of this one is gone.
    """

    def __init__(self, keep_open: tuple[int, ...] = ()) -> None:
        self._keep_open = keep_open
        self._children: dict[int, signal.Signals] = {}
        self._lock = threading.Lock()
        self._shell = self._spawn()

    @property
    def pid(self) -> int:
        return self._shell.pid

    def add(self, pid: int, kill_with: signal.Signals) -> None:
        """Take a child, the leader of its process group, under guard."""
        with self._lock:
            self._children[pid] = kill_with
            if self._shell.poll() is not None:  # somebody killed the guard; a new one learns of every child
                self._close_pipe()
                self._shell = self._spawn()
            for child, how in self._children.items():
                self._tell(f"add {child} {how.name.removeprefix('SIG')}\n")

    def remove(self, pid: int) -> None:
        """A child has ended: its number may soon be somebody else's."""
        with self._lock:
            self._children.pop(pid, None)
            self._tell(f"remove {pid}\n")

    def close(self) -> None:
        """End the guard; a child still on its list is killed."""
        self._close_pipe()
        self._shell.wait()

    def _spawn(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 # our own constant script
            ["/bin/sh", "-c", _SCRIPT, "moot-guard"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
            pass_fds=self._keep_open,
            bufsize=0,  # a line is in the pipe, or its loss is known at once
        )

    def _tell(self, line: str) -> None:
        with contextlib.suppress(OSError):  # a guard that has just died is replaced at the next child
            self._pipe().write(line.encode())

    def _close_pipe(self) -> None:
        with contextlib.suppress(OSError):  # what was not yet written is of no use to a dead guard
            self._pipe().close()

    def _pipe(self) -> IO[bytes]:
        if self._shell.stdin is None:
            raise RuntimeError("the guard was started without a pipe")
        return self._shell.stdin
