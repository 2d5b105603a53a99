"""Which node writes, and for which region."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from domain.refusal import Refusal
from workers.context_node import file_of, known_node, node_of, region_of


def test_a_folder_has_one_node_of_its_own_in_each_region_made_once(tmp_path):
    assert known_node(tmp_path, "eu", None) is None
    node = node_of(tmp_path, "eu", None)
    assert node.startswith("eu-")
    assert node_of(tmp_path, "eu", None) == known_node(tmp_path, "eu", None) == node
    assert node_of(tmp_path, "us", None) != node
    assert node_of(tmp_path / "other", "eu", None) != node


def test_all_who_come_at_once_get_the_same_node(tmp_path):
    with ThreadPoolExecutor(8) as threads:
        nodes = set(threads.map(lambda _: node_of(tmp_path, "eu", None), range(40)))
    assert len(nodes) == 1
    assert [file.name for file in (tmp_path / "context" / "eu").iterdir()] == ["node"]


def test_a_stated_node_is_taken_if_it_is_an_id_and_leaves_no_trace(tmp_path):
    assert node_of(tmp_path, "eu", "eu-1") == known_node(tmp_path, "eu", "eu-1") == "eu-1"
    assert not (tmp_path / "context").exists()
    assert file_of(tmp_path, "eu", "eu-1") == tmp_path / "context" / "eu" / "eu-1.db"
    for bad in ("case.7", "../x", ""):
        with pytest.raises(Refusal, match="--node"):
            node_of(tmp_path, "eu", bad)


def test_the_command_line_names_the_region_before_the_setting_does():
    assert region_of("us", "eu") == "us"
    assert region_of(None, "eu") == "eu"
    with pytest.raises(Refusal, match="region: is not named: give --region NAME, or set FOLKMOOT_REGION"):
        region_of(None, "")
    with pytest.raises(Refusal, match="region: 'EU' is not 1 to 40"):
        region_of("EU", "")
