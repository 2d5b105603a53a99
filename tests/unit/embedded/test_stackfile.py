"""Other commands find a stack that runs, and none that does not."""

import os
import subprocess

import pytest

from workers.embedded import folder, stackfile


@pytest.fixture
def place(tmp_path):
    """A folder that a stack holds."""
    claim = folder.claim(tmp_path)
    yield tmp_path
    claim.release()


def test_what_was_written_is_read(place):
    stackfile.write(place, {"pid": os.getpid(), "kafka": "here:1"})
    assert stackfile.read(place) == {"pid": os.getpid(), "kafka": "here:1"}


def test_only_the_owner_may_read_it(tmp_path):
    stackfile.write(tmp_path, {"pid": os.getpid()})
    assert (tmp_path / stackfile.NAME).stat().st_mode & 0o777 == 0o600


def test_the_file_of_a_stack_that_died_is_ignored_even_when_its_process_id_lives_again(tmp_path):
    folder.claim(tmp_path).release()
    stackfile.write(tmp_path, {"pid": os.getpid()})
    assert stackfile.read(tmp_path) is None


@pytest.mark.parametrize("torn", ["", "{", "[]", "null", "\xff"])
def test_a_torn_or_foreign_file_is_ignored(place, torn):
    (place / stackfile.NAME).write_text(torn)
    assert stackfile.read(place) is None


def test_without_a_file_nothing_runs(tmp_path):
    assert stackfile.read(tmp_path) is None


def test_a_removed_stack_is_not_found_and_may_be_removed_twice(place):
    stackfile.write(place, {"pid": os.getpid()})
    stackfile.remove(place)
    stackfile.remove(place)
    assert stackfile.read(place) is None


@pytest.mark.parametrize("pid", [2**40, -1, 0, True, "1", None])
def test_what_is_no_process_id_is_not_alive(pid):
    assert not stackfile.alive(pid)


def test_a_process_that_ended_is_not_alive():
    ended = subprocess.Popen(["/usr/bin/true"])
    assert stackfile.alive(os.getpid())
    ended.wait()
    assert not stackfile.alive(ended.pid)
