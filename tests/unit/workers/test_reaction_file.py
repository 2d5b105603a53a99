"""The file that names panels' members: read whole, or refused in one line that names the place."""

import re
from pathlib import Path

import pytest

from domain.conflict.reaction import Reaction
from domain.refusal import Refusal
from workers.reaction_file import VARIABLE, load

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "settle-a-conflict.md"


def read(tmp_path, text, name="conflict.toml"):
    file = tmp_path / name
    file.write_text(text)
    return load({VARIABLE: str(file)})


def test_without_a_file_there_are_the_defaults_and_no_members():
    assert load({}) == Reaction()


def test_what_the_page_shows_is_read(tmp_path):
    text = re.search(r"file: conflict.json -->\n```json\n(.*?)```", PAGE.read_text(), re.DOTALL)[1]
    found = read(tmp_path, text, "conflict.json")
    assert (found.open_cases, found.regions, found.policy.regional_appeal_seconds) == (
        20,
        ("eu", "us"),
        3_600,
    )
    assert [(one.id, one.kind, one.node) for one in found.members] == [
        ("m1", "reasoner", "eu-1"),
        ("pat", "external", None),
    ]


def test_toml_says_the_same(tmp_path):
    found = read(tmp_path, 'open_cases = 3\n[[members]]\nid = "m1"\nballots = [{choice = "eu-1-1"}]\n')
    assert (found.open_cases, found.members[0].ballots[0].choice) == (3, "eu-1-1")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("open_cases = 0", "open_cases: 0 is outside 1 to 10000"),
        ("openings = 1", "openings: is not a field here"),
        ("policy = {threshold = 7}", "threshold"),
        ("= 1", "is no TOML"),
        ("a = " + "[" * 5_000, "is nested too deeply"),
        ("at = 2026-11-21", "is no TOML"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(tmp_path, text, line):
    with pytest.raises(Refusal) as refused:
        read(tmp_path, text)
    assert line in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1
    assert str(refused.value).startswith(VARIABLE)


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(Refusal, match="/none/such cannot be read: No such file"):
        load({VARIABLE: "/none/such"})
