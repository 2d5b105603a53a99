"""A worker says that it is ready, and whoever started it hears which process said so."""

import os

import pytest

from workers import ready


def test_the_process_that_announced_itself_is_found(tmp_path):
    ready.announce(tmp_path, "projector")
    assert ready.ready_pid(tmp_path, "projector") == os.getpid()
    assert ready.ready_pid(tmp_path, "orchestrator") is None


def test_after_it_withdrew_nobody_is_ready_and_withdrawing_twice_is_fine(tmp_path):
    ready.announce(tmp_path, "projector")
    ready.withdraw(tmp_path, "projector")
    ready.withdraw(tmp_path, "projector")
    assert ready.ready_pid(tmp_path, "projector") is None


@pytest.mark.parametrize("torn", [b"", b"x", b"\xff"])
def test_a_torn_file_announces_nobody(tmp_path, torn):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "projector.ready").write_bytes(torn)
    assert ready.ready_pid(tmp_path, "projector") is None
