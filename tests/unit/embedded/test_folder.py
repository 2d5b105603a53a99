"""One stack on a folder, and room to work in."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from domain.refusal import Refusal
from workers.embedded import folder

HOLDER = """
import sys, signal
from pathlib import Path
from workers.embedded import folder
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
        with pytest.raises(Refusal, match=f"process {holder.pid} already runs a stack"):
            folder.claim(tmp_path)
    finally:
        holder.kill()
        holder.communicate()
    os.close(folder.claim(tmp_path))


def test_a_nearly_full_disk_is_refused_with_the_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "free_mib", lambda _: 12)
    with pytest.raises(Refusal, match=r"only 12 MiB are free.*--data"):
        folder.claim(tmp_path)


def test_a_refused_claim_leaves_the_folder_free(tmp_path, monkeypatch):
    with monkeypatch.context() as full:
        full.setattr(folder, "free_mib", lambda _: 12)
        with pytest.raises(Refusal):
            folder.claim(tmp_path)
    os.close(folder.claim(tmp_path))


def test_a_place_that_cannot_be_written_is_refused_by_name(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Refusal, match="data cannot be written"):
        folder.claim(tmp_path / "file" / "data")


def test_a_folder_is_made_with_its_parents(tmp_path):
    os.close(folder.claim(tmp_path / "a" / "b"))
    assert (tmp_path / "a" / "b" / "log").is_dir()
