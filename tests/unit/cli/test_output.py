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


def test_a_line_wider_than_the_terminal_goes_on_below_indented_and_breaks_no_word():
    key = "folkmoot+4820f5bb+" + "A" * 44
    shown = output.folded(f"  round 1: ada chooses ship, {key} signed it\nshort", 40)
    assert shown.split("\n") == ["  round 1: ada chooses ship,", f"      {key}", "      signed it", "short"]


def test_only_a_terminal_gets_its_lines_folded(capsys, monkeypatch):
    line = "word " * 40 + "end"
    monkeypatch.setenv("COLUMNS", "60")
    output.emit(False, {}, line)
    assert capsys.readouterr().out == line + "\n"
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    output.emit(False, {}, line)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 60
