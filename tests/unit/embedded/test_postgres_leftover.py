"""After a crash: a server of this folder that was left behind is ended, a stranger with its number lives."""

import subprocess
import sys

from workers.embedded import postgres_tools

SLEEPS = "import time; time.sleep(60)"


def start(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", SLEEPS, *arguments])


def test_a_server_of_the_folder_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(postgres_tools, "_ENDS_WITHIN", 0.1)  # until this test reaps it, it looks alive
    left = start("postgres", "-D", str(tmp_path / "postgres"))
    postgres_tools.end_leftover(left.pid, tmp_path / "postgres")
    assert left.wait(5) != 0


def test_a_stranger_with_the_same_process_id_lives(tmp_path):
    stranger = start("postgres", "-D", str(tmp_path / "another"))
    postgres_tools.end_leftover(stranger.pid, tmp_path / "postgres")
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_process_that_is_gone_is_no_trouble(tmp_path):
    gone = start()
    gone.kill()
    gone.wait()
    postgres_tools.end_leftover(gone.pid, tmp_path)
