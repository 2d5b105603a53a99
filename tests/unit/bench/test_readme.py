"""The README's figures come from kept results, and nothing else of it is touched."""

import json

import pytest

from bench.__main__ import PARTS
from bench.readme import _PARTS, BEGIN, END, NONE, README, filled, newest, section

MACHINE = {"cores": 2, "memory_gib": 4.0, "system": "Linux x86_64", "python": "3.11.7"}


def kept(folder, at: str, parts: dict[str, float]) -> None:
    figure = {"name": "rate", "unit": "items/s", "target": 1000, "bound": ">=", "note": "warm"}
    figures = {part: [{**figure, "value": value, "met": value >= 1000}] for part, value in parts.items()}
    (folder / f"{at}.json").write_text(
        json.dumps({"at": f"{at}T00:00:00", "machine": MACHINE, "figures": figures})
    )


def test_of_each_part_the_newest_result_counts(tmp_path):
    kept(tmp_path, "2026-01-01", {"merkle": 1.0, "stack": 2.0})
    kept(tmp_path, "2026-01-02", {"merkle": 3000.0})
    found = newest(tmp_path)
    assert found is not None
    assert {part: run["figures"][0]["value"] for part, run in found.items()} == {
        "merkle": 3000.0,
        "stack": 2.0,
    }
    told = section(found)
    assert "| rate | 3,000 items/s | >= 1,000 | yes | warm |" in told
    assert "| rate | 2 items/s | >= 1,000 | **no** | warm |" in told


def test_every_part_that_is_measured_has_a_heading():
    assert _PARTS.keys() == PARTS.keys()


def test_without_results_it_says_what_to_do(tmp_path):
    assert section(newest(tmp_path)) == NONE


def test_only_what_is_between_the_markers_changes():
    assert filled(f"a\n{BEGIN}\nold\n{END}\nb", "new") == f"a\n{BEGIN}\nnew\n{END}\nb"


@pytest.mark.parametrize("text", ["", BEGIN, END + BEGIN, BEGIN + END + BEGIN + END])
def test_a_text_without_the_markers_is_left_alone(text):
    with pytest.raises(ValueError, match="once each"):
        filled(text, "new")


def test_the_readme_has_its_markers():
    assert filled(README.read_text("utf-8"), "new") != README.read_text("utf-8")
