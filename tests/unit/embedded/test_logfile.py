"""A child's log stays bounded, and its last word is at hand."""

import os
import threading
import time

import pytest

from workers.embedded import logfile
from workers.embedded.child import Child
from workers.embedded.guard import Guard


@pytest.mark.parametrize(
    ("content", "last"),
    [
        (b"", ""),
        (b"\n\n", ""),
        (b"one\ntwo\n", "two"),
        (b"one\n two", "two"),
        (b"\xff", "\ufffd"),
        (b"x" * 9000 + b"\nend", "end"),
    ],
)
def test_the_last_line_is_the_last_one_with_words(tmp_path, content, last):
    (tmp_path / "log").write_bytes(content)
    assert logfile.last_line(tmp_path / "log") == last


def test_a_log_that_does_not_exist_said_nothing(tmp_path):
    assert logfile.last_line(tmp_path / "log") == ""


def test_a_large_log_is_put_aside_and_a_small_one_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(logfile, "_LARGEST", 3)
    log = tmp_path / "log"
    log.write_text("abc")
    logfile.turn(log)
    assert log.read_text() == "abc"
    log.write_text("abcd")
    logfile.turn(log)
    assert log.read_text() == ""
    assert (tmp_path / "log.1").read_text() == "abcd"


@pytest.fixture
def guard():
    guard = Guard()
    yield guard
    guard.close()


def test_the_log_of_a_child_that_talks_without_end_stays_bounded(tmp_path, guard, monkeypatch):
    monkeypatch.setattr(logfile, "_LARGEST", 100_000)
    monkeypatch.setattr(logfile, "_LOOK_EVERY", 0.02)
    log, aside = tmp_path / "log", tmp_path / "log.1"
    talks = "while :; do printf '%01000d\\n' 1; sleep 0.001; done"
    child = Child(["/bin/sh", "-c", talks], log, guard, os.environ)
    enough = threading.Event()
    keeping = threading.Thread(target=logfile.keep_bounded, args=([log], enough))
    keeping.start()
    try:
        wait_for(lambda: written(aside) > 0)
        first = written(aside)
        wait_for(lambda: written(aside) > first + 10**8)
    finally:
        child.kill()
        child.wait(None)
        enough.set()
        keeping.join()
    assert log.stat().st_size < 200_000
    assert aside.stat().st_size < 200_000
    assert b"\0" not in aside.read_bytes()  # it goes on at the beginning, not behind a hole


def written(file):
    """When it was, in nanoseconds; 0 while it is not there."""
    try:
        return file.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def wait_for(condition):
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_on_a_full_disk_a_log_is_emptied_all_the_same(tmp_path, monkeypatch):
    def full(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(logfile, "_LARGEST", 3)
    monkeypatch.setattr(logfile.shutil, "copyfile", full)
    log = tmp_path / "log"
    log.write_text("abcd")
    with pytest.raises(OSError, match="no space"):
        logfile.turn(log)
    assert log.read_text() == ""
