"""Results go to stdout once, whole, as JSON or as text."""

import json
from datetime import UTC, datetime

from cli import output


def test_json_is_one_line_that_reads_back(capsys):
    output.emit(True, {"name": "é\n", "at": datetime(2026, 1, 2, tzinfo=UTC)}, "unused")
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert json.loads(said) == {"name": "é\n", "at": "2026-01-02 00:00:00+00:00"}


def test_text_is_made_only_when_it_is_wanted(capsys):
    output.emit(True, {}, lambda: 1 / 0)
    output.emit(False, {}, lambda: "for people")
    assert capsys.readouterr().out == "{}\nfor people\n"


def test_json_holds_nothing_that_a_terminal_acts_on(capsys):
    value = {"ein Ä": "\x1b[31m \x9b31m \u202e \u2066 \U000e0001 \x7f 賛成"}
    output.emit(True, value, "unused")
    said = capsys.readouterr().out
    assert said.removesuffix("\n").isprintable()
    assert "賛成" in said
    assert json.loads(said) == value
