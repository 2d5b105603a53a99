"""Other commands find a stack that runs, and none that does not."""

import json
import os
import subprocess

import pytest

from workers.embedded import stackfile


@pytest.fixture
def gone() -> int:
    """The id of a process that has ended."""
    ended = subprocess.Popen(["/usr/bin/true"])
    ended.wait()
    return ended.pid


def test_what_was_written_is_read(tmp_path):
    stackfile.write(tmp_path, {"pid": os.getpid(), "kafka": "here:1"})
    assert stackfile.read(tmp_path) == {"pid": os.getpid(), "kafka": "here:1"}


def test_only_the_owner_may_read_it(tmp_path):
    stackfile.write(tmp_path, {"pid": os.getpid()})
    assert (tmp_path / stackfile.NAME).stat().st_mode & 0o777 == 0o600


def test_the_file_of_a_stack_that_died_is_ignored(tmp_path, gone):
    stackfile.write(tmp_path, {"pid": gone})
    assert stackfile.read(tmp_path) is None


@pytest.mark.parametrize("torn", ["", "{", "[]", "null", '{"pid": "1"}', '{"pid": true}', '{"pid": -1}'])
def test_a_torn_or_foreign_file_is_ignored(tmp_path, torn):
    (tmp_path / stackfile.NAME).write_text(torn)
    assert stackfile.read(tmp_path) is None


def test_without_a_file_nothing_runs(tmp_path):
    assert stackfile.read(tmp_path) is None


def test_a_removed_stack_is_not_found_and_may_be_removed_twice(tmp_path):
    stackfile.write(tmp_path, {"pid": os.getpid()})
    stackfile.remove(tmp_path)
    stackfile.remove(tmp_path)
    assert stackfile.read(tmp_path) is None


def test_a_number_too_large_for_a_process_is_dead(tmp_path):
    (tmp_path / stackfile.NAME).write_text(json.dumps({"pid": 2**40}))
    assert stackfile.read(tmp_path) is None
