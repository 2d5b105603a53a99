"""A node's folder is of one node, and of one process at a time."""

import base64
import os

import pytest

from domain.refusal import Refusal
from workers.identity import public_half
from workers.node_folder import claimed


def test_it_has_the_same_key_and_journal_each_time(tmp_path):
    keys = []
    for _ in range(2):
        with claimed(tmp_path / "edge-1", "edge-1") as folder:
            assert folder.journal.once_now("k", b"first") == b"first"
            keys.append(public_half(folder.identity))
    assert keys[0] == keys[1]
    assert len(base64.b64decode(keys[0])) == 32


def test_a_second_process_is_refused_with_the_firsts_number(tmp_path):
    with (
        claimed(tmp_path, "edge-1"),
        pytest.raises(Refusal, match=rf"^--id: process {os.getpid()} trains as edge-1"),
        claimed(tmp_path, "edge-1"),
    ):
        pass
    with claimed(tmp_path, "edge-1"):  # the lock ends with its holder
        pass


def test_another_nodes_folder_is_refused(tmp_path):
    with claimed(tmp_path, "edge-1"):
        pass
    other = pytest.raises(Refusal, match=r"--folder: .* is of the node edge-1; give edge-2 one of its own")
    with other, claimed(tmp_path, "edge-2"):
        pass
    with claimed(tmp_path, "edge-1"):
        pass
