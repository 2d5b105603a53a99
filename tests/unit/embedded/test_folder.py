"""One stack on a folder, and room to work in."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from domain.refusal import Refusal
from workers.embedded import folder, lock

HOLDER = """
import sys, signal
from pathlib import Path
from workers.embedded import folder, lock
folder.claim(Path(sys.argv[1]))
print("claimed", flush=True)
signal.pause()
"""


def test_a_second_claim_names_the_process_that_holds_the_folder(tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, tmp_path], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "claimed\n"
        with pytest.raises(Refusal, match=f"process {holder.pid} runs a stack"):
            folder.claim(tmp_path)
    finally:
        holder.kill()
        holder.communicate()
    folder.claim(tmp_path).release()


def test_a_nearly_full_disk_is_refused_with_the_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "free_mib", lambda _: 12)
    with pytest.raises(Refusal, match=r"only 12 MiB are free.*--data"):
        folder.claim(tmp_path)


def test_a_refused_claim_leaves_the_folder_free(tmp_path, monkeypatch):
    with monkeypatch.context() as full:
        full.setattr(folder, "free_mib", lambda _: 12)
        with pytest.raises(Refusal):
            folder.claim(tmp_path)
    folder.claim(tmp_path).release()


def test_a_place_that_cannot_be_written_is_refused_by_name(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Refusal, match="data cannot be used"):
        folder.claim(tmp_path / "file" / "data")


@pytest.mark.parametrize("name", ["lock", "ports.json", "kafka.properties", "log/kafka.log"])
def test_nothing_is_written_through_a_link_out_of_the_folder(tmp_path, name):
    mine = tmp_path / "mine"
    mine.write_text("precious")
    link = tmp_path / "data" / name
    link.parent.mkdir(parents=True)
    link.symlink_to(mine)
    with pytest.raises(Refusal, match=f"{name} is a link"):
        folder.claim(tmp_path / "data")
    assert mine.read_text() == "precious"


def test_a_server_may_keep_its_data_on_another_disk(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "kafka").symlink_to(tmp_path / "disk")
    folder.claim(tmp_path / "data").release()


def test_a_folder_is_made_with_its_parents(tmp_path):
    folder.claim(tmp_path / "a" / "b").release()
    assert (tmp_path / "a" / "b" / "log").is_dir()


def test_a_claim_waits_for_the_children_of_a_stack_that_was_killed(tmp_path):
    killed = folder.claim(tmp_path)
    os.close(killed.own)
    ended = threading.Timer(0.2, os.close, [killed.children])
    ended.start()
    folder.claim(tmp_path).release()
    assert ended.finished.is_set()


def test_children_that_do_not_end_are_a_refusal_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "_OTHERS_END_WITHIN", 0.05)
    killed = folder.claim(tmp_path)
    os.close(killed.own)
    with pytest.raises(Refusal, match="children of a stack that was killed"):
        folder.claim(tmp_path)
    os.close(killed.children)


def test_those_who_look_do_not_keep_a_stack_from_starting(tmp_path):
    folder.claim(tmp_path).release()
    looking = threading.Event()
    looker = threading.Thread(
        target=lambda: [lock.held(folder.lock_file(tmp_path)) for _ in iter(looking.is_set, True)]
    )
    looker.start()
    try:
        for _ in range(20):
            folder.claim(tmp_path).release()
    finally:
        looking.set()
        looker.join()
