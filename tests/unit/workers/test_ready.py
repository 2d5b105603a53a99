"""A worker says that it is ready, and whoever started it hears which process said so."""

import asyncio
import os
import subprocess
import sys
import time

import pytest

from workers import ready


@pytest.fixture
def gone():
    """The number of a process that has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def left_behind(folder, name):
    (folder / "run").mkdir(exist_ok=True)
    (folder / "run" / name).touch()


def test_the_process_that_announced_itself_is_found(tmp_path):
    ready.announce(tmp_path, "projector")
    assert ready.ready_pid(tmp_path, "projector") == os.getpid()
    assert ready.is_ready(tmp_path, "projector", os.getpid())
    assert ready.ready_pid(tmp_path, "orchestrator") is None
    assert not ready.is_ready(tmp_path, "projector", None)


def test_after_it_withdrew_nobody_is_ready_and_withdrawing_twice_is_fine(tmp_path):
    ready.announce(tmp_path, "projector")
    ready.withdraw(tmp_path, "projector")
    ready.withdraw(tmp_path, "projector")
    assert ready.ready_pid(tmp_path, "projector") is None


def test_a_second_worker_of_the_name_takes_nothing_from_the_first(tmp_path):
    left_behind(tmp_path, f"projector.{os.getppid()}.ready")
    ready.announce(tmp_path, "projector")
    assert ready.is_ready(tmp_path, "projector", os.getppid())
    ready.withdraw(tmp_path, "projector")
    assert ready.is_ready(tmp_path, "projector", os.getppid())
    assert not ready.is_ready(tmp_path, "projector", os.getpid())


def test_a_process_that_was_killed_is_ready_no_more_and_only_it_is_cleared_away(tmp_path, gone):
    left_behind(tmp_path, f"projector.{gone}.ready")
    assert ready.ready_pid(tmp_path, "projector") is None
    ready.announce(tmp_path, "projector")
    ready.clear(tmp_path, "projector")
    assert not ready.is_ready(tmp_path, "projector", gone)
    assert ready.ready_pid(tmp_path, "projector") == os.getpid()


@pytest.mark.parametrize(
    "name", ["projector.ready", "projector..ready", "projector.x.ready", "projector.².ready"]
)
def test_a_file_that_names_no_process_announces_nobody(tmp_path, name):
    left_behind(tmp_path, name)
    assert ready.ready_pid(tmp_path, "projector") is None


def silent_for(folder, name, seconds):
    past = time.time() - seconds
    os.utime(folder / "run" / name, (past, past))


async def test_a_worker_gives_a_sign_of_life_as_long_as_its_loop_turns(tmp_path, monkeypatch):
    monkeypatch.setattr(ready, "BEAT_SECONDS", 0.01)
    announcing, beats = ready.Announcing(tmp_path, "projector"), asyncio.Queue()
    monkeypatch.setattr(ready, "announce", lambda *told: beats.put_nowait(told))
    announcing()
    announcing()
    async with asyncio.timeout(10):
        assert [await beats.get() for _ in range(3)] == [(tmp_path, "projector")] * 3
    assert beats.empty()


def test_without_signs_of_life_its_silence_is_told_and_another_that_is_awake_stands_for_it(tmp_path):
    ready.announce(tmp_path, "projector")
    silent_for(tmp_path, f"projector.{os.getpid()}.ready", 100)
    assert ready.silent_seconds(tmp_path, "projector", os.getpid()) == pytest.approx(100, abs=5)
    assert ready.silent_seconds(tmp_path, "orchestrator", os.getpid()) == float("inf")
    left_behind(tmp_path, f"projector.{os.getppid()}.ready")
    assert ready.ready_pid(tmp_path, "projector") == os.getppid()
