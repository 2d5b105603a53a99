"""The generated pages say what the code does today."""

import ast
import re
from pathlib import Path

import pytest

from docs.generate import commands, inputs, settings, tables
from docs.generate.__main__ import PAGES, PLACE
from docs.generate.meaning import parts
from projections.tables import METADATA

ROOT = Path(__file__).parents[3]
PACKAGES = (
    "activities",
    "audit",
    "cli",
    "domain",
    "eventlog",
    "migrations",
    "projections",
    "workers",
    "workflows",
)
VARIABLE = re.compile(r"(FOLKMOOT|TEMPORAL)_[A-Z_]+|JAVA_HOME")
PART = re.compile("FOLKMOOT|TEMPORAL|JAVA_HOME")


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_what_the_code_makes_today(name):
    assert (PLACE / name).read_text("utf-8") == PAGES[name](), "run `make docs`"


def test_every_variable_that_the_code_reads_is_on_the_page_and_no_other():
    read = {
        node.value
        for package in PACKAGES
        for file in (ROOT / package).rglob("*.py")
        if PART.search(text := file.read_text("utf-8"))  # few do, and parsing takes long
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and VARIABLE.fullmatch(node.value)
    }
    by_temporal = {"TEMPORAL_API_KEY", "TEMPORAL_TLS…"}  # read by Temporal's own client
    assert settings.names() == read | by_temporal


def test_every_table_and_column_is_explained_and_nothing_else_is():
    assert tables.ABOUT.keys() == METADATA.tables.keys()
    for name, table in METADATA.tables.items():
        assert set(tables.MEANINGS[name]) == {column.name for column in table.columns}


def test_every_command_is_on_the_page_with_its_options():
    shown = dict(commands.helps())
    assert {"moot", "moot decide", "moot audit whatif", "moot worker node"} <= shown.keys()
    assert all("Usage: " + path in text for path, text in shown.items())


def test_every_command_that_is_no_group_shows_an_example():
    without = [path for path, text in commands.helps() if "Commands:" not in text and "Example" not in text]
    assert without == []


def test_no_command_is_described_in_a_line_that_breaks_off():
    assert [path for path, text in commands.helps() if "...\n" in text.partition("Commands:")[2]] == []


@pytest.mark.parametrize("cls", [part for root in inputs.ROOTS for part in parts(root)])
def test_every_field_of_an_input_is_explained_in_a_sentence(cls):
    for field in cls.__dataclass_fields__:
        assert inputs.said(cls, field).endswith(".")
