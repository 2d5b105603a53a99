"""When the parent is killed without a word its children end; while it lives the guard does nothing."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from workers.embedded import stackfile
from workers.embedded.guard import Guard

# A parent with one obedient child and one that ignores every polite signal; it prints their process ids.
PARENT = """
import signal, sys
from pathlib import Path
from workers.embedded.child import Child
from workers.embedded.guard import Guard
guard = Guard()
log = Path(sys.argv[1])
obedient = Child(["sleep", "60"], log, guard, {"PATH": "/usr/bin:/bin"}, signal.SIGQUIT)
stubborn = Child(["/bin/sh", "-c", "trap '' QUIT TERM INT; while :; do sleep 1; done"], log, guard,
                 {"PATH": "/usr/bin:/bin"}, signal.SIGQUIT)
print(guard.pid, obedient.pid, stubborn.pid, flush=True)
signal.pause()
"""


def eventually(holds: Callable[[], bool], within: float = 5.0) -> bool:
    until = time.monotonic() + within
    while not holds() and time.monotonic() < until:
        time.sleep(0.02)
    return holds()


def running(pid: int) -> bool:
    """Whether it runs; a process that ended and waits to be reaped by init does not."""
    if not stackfile.alive(pid):
        return False
    said = subprocess.run(
        ["/bin/ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return bool(said.stdout.strip()) and not said.stdout.startswith("Z")


@pytest.fixture
def parent(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT, tmp_path / "log"], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    assert process.stdout is not None
    pids = [int(pid) for pid in process.stdout.readline().split()]
    yield process, pids
    process.kill()
    process.wait()
    process.stdout.close()
    for pid in pids:
        if running(pid):
            os.kill(pid, signal.SIGKILL)


def test_after_kill_9_of_the_parent_no_child_lives_longer_than_5_seconds(parent):
    process, pids = parent
    assert all(running(pid) for pid in pids)
    process.kill()
    process.wait()
    assert eventually(lambda: not any(running(pid) for pid in pids))


def test_a_guard_that_was_killed_is_replaced_and_the_new_one_knows_every_child(tmp_path):
    guard = Guard()
    first = subprocess.Popen(["/bin/sleep", "60"], start_new_session=True)
    guard.add(first.pid, signal.SIGKILL)
    os.kill(guard.pid, signal.SIGKILL)
    assert eventually(lambda: not running(guard.pid))
    second = subprocess.Popen(["/bin/sleep", "60"], start_new_session=True)
    guard.add(second.pid, signal.SIGKILL)
    reapers = [threading.Thread(target=child.wait) for child in (first, second)]
    for reaper in reapers:
        reaper.start()
    guard.close()
    for reaper in reapers:
        reaper.join()
    assert first.returncode == second.returncode == -signal.SIGKILL


def test_a_child_taken_off_the_list_outlives_the_guard():
    guard = Guard()
    child = subprocess.Popen(["/bin/sleep", "60"], start_new_session=True)
    guard.add(child.pid, signal.SIGKILL)
    guard.remove(child.pid)
    guard.close()
    assert child.poll() is None
    child.kill()
    child.wait()


def test_the_guard_itself_ends_soon_after_its_parent(parent):
    process, (guard, *_) = parent
    process.kill()
    process.wait()
    assert eventually(lambda: not running(guard))
