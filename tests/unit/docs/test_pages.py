"""What every page owes its reader without a server: links that lead somewhere, inputs that are accepted."""

import re
from pathlib import Path
from typing import get_args

import pytest

from domain.conflict.commands import OpenCase
from domain.conflict.hearing import open_case
from domain.conflict.reaction import Reaction
from domain.consensus.commands import CastBallot, OpenDeliberation
from domain.consensus.decide import open_deliberation
from domain.learning.commands import RunCycle
from projections.dead_letter import Kind
from tests.unit.docs.page import PAGES, ROOT, Block, blocks
from workflows.payloads import read_input

_LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_RAW = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"`((?:[\w.-]+/)+(?:[\w-]+\.(?:py|md|csv|json))?)`")
_PROSE_WIDTH = 110
# A page whose blocks are examples of what is stored, held to its truth by tests of its own.
GENERATED = ROOT / "docs" / "reference"


def named(pages: list[Path]) -> list[object]:
    return [pytest.param(page, id=str(page.relative_to(ROOT))) for page in pages]


def anchors(page: Path) -> set[str]:
    """The fragments that GitHub gives the page's headings."""
    text = _RAW.sub("", page.read_text("utf-8"))
    plain = (re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()) for heading in _HEADING.findall(text))
    return {heading.strip().replace(" ", "-") for heading in plain}


def broken(page: Path) -> list[str]:
    text = _RAW.sub("", page.read_text("utf-8"))
    found = []
    for link in _LINK.findall(text):
        if link.startswith(("http://", "https://")):
            continue
        file, _, fragment = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        known = target.exists() and (not fragment or fragment in anchors(target))
        found += [] if known else [link]
    return found


@pytest.mark.parametrize("page", named(PAGES))
def test_every_link_leads_somewhere(page):
    assert broken(page) == []


def test_a_link_to_nowhere_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# One two\n[a](page.md#one-two) [b](gone.md) [c](#three)\n")
    assert broken(page) == ["gone.md", "#three"]


@pytest.mark.parametrize("page", named([page for page in PAGES if not page.is_relative_to(GENERATED)]))
def test_every_file_that_is_named_exists(page):
    said = _FILE.findall(_RAW.sub("", page.read_text("utf-8")))
    ours = [file for file in said if (ROOT / file.partition("/")[0]).is_dir() and file[0] != "."]
    assert [file for file in ours if not (ROOT / file).exists()] == []


def test_the_map_names_every_page():
    text = (ROOT / "docs" / "README.md").read_text("utf-8")
    linked = {(ROOT / "docs" / link.partition("#")[0]).resolve() for link in _LINK.findall(text)}
    decisions = (ROOT / "docs" / "decisions" / "README.md").read_text("utf-8")
    linked |= {(ROOT / "docs" / "decisions" / link).resolve() for link in _LINK.findall(decisions)}
    pages = {page for page in PAGES if page.is_relative_to(ROOT / "docs")}
    assert pages - linked == {ROOT / "docs" / "README.md"}


def test_every_reason_to_park_a_record_is_explained():
    text = (ROOT / "docs" / "how-to" / "recover-from-a-poison-event.md").read_text("utf-8")
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == list(get_args(Kind))


def inputs(kind: str) -> list[object]:
    pages = [page for page in PAGES if not page.is_relative_to(GENERATED)]
    return [
        pytest.param(block, id=f"{page.relative_to(ROOT)}:{block.line}")
        for page in pages
        for block in blocks(page)
        if block.kind == kind
    ]


@pytest.mark.parametrize("block", inputs("json"))
def test_every_json_block_is_accepted_as_an_input(block: Block):
    if '"voter":' in block.text and '"voters":' not in block.text:
        read_input(CastBallot, block.text)
    elif '"open_cases":' in block.text:
        read_input(Reaction, block.text)
    elif '"trainer":' in block.text:
        read_input(RunCycle, block.text)
    else:
        assert _opened(block.text)


@pytest.mark.parametrize("block", inputs("python"))
def test_every_python_block_is_run_or_a_file_of_a_page_that_is(block: Block):
    compile(block.text, f"line {block.line}", "exec")
    assert block.said == "file", "name its file, and run that in a console block"


@pytest.mark.parametrize("page", named([page for page in PAGES if not page.is_relative_to(GENERATED)]))
def test_code_fits_the_screen(page):
    wide = [
        line
        for block in blocks(page)
        if block.kind in ("json", "python", "bash", "csv") or block.said == "file"
        for line in block.text.splitlines()
        if len(line) > _PROSE_WIDTH
    ]
    assert wide == []


def _opened(text):
    """What the workflows would make of the input: of one with positions a case."""
    if '"positions"' in text:
        return open_case(read_input(OpenCase, text))
    return open_deliberation(read_input(OpenDeliberation, text))
