"""`moot learn recommend` prints what was measured, and says where nothing was."""

import json
from itertools import pairwise

import pytest
from click.testing import CliRunner

from cli import learn_recommend
from cli.main import moot
from domain.learning.policy import METHODS


@pytest.fixture
def said(tmp_path, monkeypatch):
    """The command's output, where the bench wrote `table`."""

    def run(table, *options):
        if table is not None:
            (tmp_path / "learn_measured.json").write_text(json.dumps(table))
        monkeypatch.setattr(learn_recommend, "files", lambda _: tmp_path)
        return CliRunner().invoke(
            moot, ["learn", "recommend", "--sensitivity", "medium", *options], catch_exceptions=False
        )

    return run


ROW = {
    "method": "none",
    "setting": "plain",
    "epsilon": None,
    "accuracy": 0.9,
    "spread": 0.01,
    "seconds": 1.0,
    "bytes": 7,
}


def test_without_a_measurement_there_are_no_figures(said):
    output = said(None).output
    assert "Nothing was measured yet" in output
    assert "accuracy " not in output.split("In the literature")[0].split("Nothing")[1]
    assert json.loads(said(None, "--json").output)["measured"] is None


def test_a_method_that_was_not_measured_says_so(said):
    lines = said({"task": "a task", "seeds": [0], "rows": [ROW]}).output.splitlines()
    assert [line.split()[0] for line in lines if line.endswith("not measured")] == list(METHODS[1:])
    row = ["plain", "-", "0.900", "+-", "0.010", "1.00", "7"]
    assert any(one.split() == ["none"] and two.split() == row for one, two in pairwise(lines))


def test_nothing_of_what_is_measured_and_written_is_wider_than_a_terminal(said):
    text = said(learn_recommend.measured()).output.partition("Measured")[2]
    assert max(map(len, text.splitlines()[1:])) <= 100


def test_the_table_that_is_shipped_is_read():
    rows = learn_recommend.measured()["rows"]
    assert {row["method"] for row in rows} == set(METHODS)


def test_the_method_comes_with_its_price_and_the_sources(said):
    data = json.loads(said(None, "--json", "--accuracy", "high").output)
    assert (data["method"], data["level"]) == ("secure_mpc", "secure_sum")
    assert data["gives_up"]
    assert all(one["source"] for one in data["literature"])
