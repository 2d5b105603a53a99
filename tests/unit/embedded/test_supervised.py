"""A part is started again when it dies, given up when it dies too often, and ended for certain."""

import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.refusal import Refusal
from workers.embedded import crashes
from workers.embedded import supervised as supervision
from workers.embedded.guard import Guard
from workers.embedded.server import Launch
from workers.embedded.supervised import Supervised


class Script:
    """A part that is a Python script; it is ready once it has written its process id to its file."""

    name = "script"
    address = "nowhere:1"
    version = "1"
    start_within = 20.0
    stop_within = 0.5
    restarts = 2

    def __init__(self, folder: Path, code: str) -> None:
        self._file, self._code = folder / "ready", code

    def prepare(self) -> Launch:
        self._file.unlink(missing_ok=True)
        announce = f"import os, signal, time; open({str(self._file)!r}, 'w').write(str(os.getpid()))"
        return Launch([sys.executable, "-c", self._code.replace("READY", announce)])

    def ready(self, pid: int) -> bool:
        return self._file.exists() and self._file.read_text() == str(pid)


WORKS = "READY; time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); READY; time.sleep(60)"


@pytest.fixture
def guard() -> Iterator[Guard]:
    guard = Guard()
    yield guard
    guard.close()


@pytest.fixture
def run(tmp_path, guard):
    """Start a script as a part; what happens to it comes out of the queue."""
    started: list[Supervised] = []

    def start(code: str, room=lambda: True) -> tuple[Supervised, "queue.Queue[str]"]:
        happened: queue.Queue[str] = queue.Queue()
        part = Script(tmp_path, code)
        supervised = Supervised(
            part, tmp_path / "log", guard, os.environ, lambda _, what: happened.put(what), room=room
        )
        started.append(supervised)
        supervised.start()
        return supervised, happened

    yield start
    for supervised in started:
        supervised.stop()


def test_a_part_that_dies_is_started_again_and_said_to_have_died(run):
    supervised, happened = run(WORKS)
    supervised.wait_until_ready()
    first = supervised.pid
    os.kill(first, signal.SIGKILL)
    assert [happened.get(timeout=20) for _ in range(3)] == ["ready", "died", "ready"]
    assert supervised.pid not in {first, None}


def test_a_part_that_never_becomes_ready_is_given_up_with_its_log_named(run, tmp_path):
    supervised, happened = run("print('no such thing'); raise SystemExit(3)")
    with pytest.raises(
        Refusal, match=rf"script: ended 3 times in a row, saying 'no such thing'; see {tmp_path / 'log'}"
    ):
        supervised.wait_until_ready()
    assert happened.empty()
    assert (tmp_path / "log").read_text().count("no such thing") == 3


def test_a_part_that_dies_again_and_again_after_it_was_ready_goes_on_being_started(run):
    supervised, happened = run("READY; time.sleep(0.2); raise SystemExit(3)")
    supervised.wait_until_ready()
    seen = [happened.get(timeout=20) for _ in range(7)]
    assert seen.count("ready") == 4
    assert "gave up" not in seen
    assert len(supervised.described()["deaths"]) >= 3
    assert crashes.problem(supervised.described()["deaths"], time.time(), str(supervised.log))


def test_of_the_deaths_only_the_recent_are_kept_and_a_stop_is_none(run, monkeypatch):
    supervised, happened = run(WORKS)
    supervised.wait_until_ready()
    for kept in (1, 2):
        assert happened.get(timeout=20) == "ready"
        os.kill(supervised.pid, signal.SIGKILL)
        assert happened.get(timeout=20) == "died"
        assert len(supervised.described()["deaths"]) == kept
    monkeypatch.setattr(crashes, "RECENT", 0.0)
    assert happened.get(timeout=20) == "ready"
    os.kill(supervised.pid, signal.SIGKILL)
    assert [happened.get(timeout=20) for _ in range(2)] == ["died", "ready"]
    supervised.stop()
    assert len(supervised.described()["deaths"]) == 1


def test_a_part_that_ignores_the_polite_signal_is_killed(run):
    supervised, _ = run(STUBBORN)
    supervised.wait_until_ready()
    pid = supervised.pid
    supervised.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_part_is_not_started_again_after_it_was_stopped(run):
    supervised, happened = run(WORKS)
    supervised.wait_until_ready()
    supervised.stop()
    assert supervised.pid is None
    assert happened.get_nowait() == "ready"
    assert happened.empty()


def test_a_part_that_cannot_be_prepared_is_refused_with_its_own_words(run, monkeypatch):
    def refuse(_: Script) -> Launch:
        raise Refusal("script", "the paper is missing")

    monkeypatch.setattr(Script, "prepare", refuse)
    supervised, _ = run(WORKS)
    with pytest.raises(Refusal, match="the paper is missing"):
        supervised.wait_until_ready()


def test_a_part_stopped_before_it_was_ready_ends_too(run, monkeypatch):
    monkeypatch.setattr(Script, "ready", lambda *_: False)
    supervised, _ = run(WORKS)
    supervised.stop()
    assert supervised.pid is None


def test_on_a_full_disk_a_part_that_died_waits_for_room_however_long(run, monkeypatch):
    monkeypatch.setattr(supervision, "_LOOK_FOR_ROOM_EVERY", 0.02)
    looks: list[bool] = []
    room = threading.Event()
    supervised, happened = run(WORKS, lambda: looks.append(room.is_set()) or looks[-1])
    supervised.wait_until_ready()
    os.kill(supervised.pid, signal.SIGKILL)
    assert [happened.get(timeout=20) for _ in range(2)] == ["ready", "died"]
    while len(looks) < 3 * Script.restarts:
        assert happened.empty()
    room.set()
    assert happened.get(timeout=20) == "ready"


def test_a_part_whose_watcher_fails_is_given_up_aloud(run, monkeypatch):
    supervised, happened = run(WORKS)
    supervised.wait_until_ready()
    assert happened.get(timeout=20) == "ready"
    monkeypatch.setattr(Script, "prepare", lambda _: {}["absent"])
    os.kill(supervised.pid, signal.SIGKILL)
    assert [happened.get(timeout=20) for _ in range(2)] == ["died", "gave up"]
    assert "KeyError" in str(supervised.problem)
