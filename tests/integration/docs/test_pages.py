"""Every page with commands is followed word for word, and says what they print."""

from pathlib import Path

import pytest

from tests.integration.docs.conftest import Running, clean
from tests.integration.docs.reader import Reader
from tests.unit.docs.page import PAGES, ROOT, blocks

OWN_SERVERS = ROOT / "docs" / "how-to" / "your-own-servers.md"


def followed() -> list[object]:
    """Pages with a command that is run, last those that add a region: it never goes away again."""
    pages = sorted((p for p in PAGES if _commands(p)), key=lambda p: "migrate --region" in _commands(p))
    return [pytest.param(page, id=str(page.relative_to(ROOT))) for page in pages if page != OWN_SERVERS]


def _commands(page: Path) -> str:
    return "".join(b.text for b in blocks(page) if b.kind == "console" and b.said != "not run")


@pytest.mark.timeout(400)
@pytest.mark.parametrize("page", followed())
def test_the_page_says_what_happens(page: Path, stack: Running, tmp_path: Path):
    Reader(tmp_path, stack.environ, stack.said).follow(page)


@pytest.mark.timeout(400)
def test_the_page_on_own_servers_says_what_happens(kafka, database, temporal, tmp_path):
    own = {
        "FOLKMOOT_KAFKA": kafka,
        "FOLKMOOT_DATABASE_URL": database,
        "TEMPORAL_ADDRESS": temporal,
        "FOLKMOOT_TOPIC_PREFIX": "folkmoot.",  # as on the page; no other test has it
    }
    Reader(tmp_path, {**clean(), **own}).follow(OWN_SERVERS)


def test_a_page_that_lies_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```console\n$ echo one\ntwo\n```\n")
    with pytest.raises(AssertionError, match="it printed\none"):
        Reader(tmp_path, clean()).follow(page)


def test_a_command_that_fails_unannounced_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```console\n$ false\n```\n")
    with pytest.raises(AssertionError, match="status 1"):
        Reader(tmp_path, clean()).follow(page)
