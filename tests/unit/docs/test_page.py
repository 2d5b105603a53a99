"""How pages are compared with what commands print: loosely where it varies, strictly where it does not."""

import pytest

from tests.unit.docs.page import Block, blocks, commands, matches

ID, OTHER = "01a1ff02-f9ae-7cf6-9f9f-7af18e64bf92", "01a1ff03-731c-7704-b201-cda4ef953149"


@pytest.mark.parametrize(
    ("expected", "printed"),
    [
        ("ship", "ship\n"),
        (f"event {ID}", f"event {OTHER}\n"),
        ("kafka 127.0.0.1:28666  4.3.0 pid 7", "kafka 127.0.0.1:9   4.3.0  pid 12345\n"),
        ("took 1.2 s", "took 0.485 s\n"),
        ("one, …, three", "one, two, three\n"),
        ("first\n…\nlast", "first\nlast\n"),
        ("first\n…\nlast", "first\nand\nso on\nlast\n"),
        ("…", ""),
    ],
)
def test_what_varies_does_not_matter(expected, printed):
    assert matches(expected, printed)


@pytest.mark.parametrize(
    ("expected", "printed"),
    [
        ("ship", "wait\n"),
        ("ship", "ship\nand more\n"),
        ("ship", ""),
        ("", "ship\n"),
        ("one …, three", "one, two, four\n"),
        ("one …\nthree", "one\ntwo\nthree\n"),
        ("agreement 1.0000", "agreement 0.6667\n"),
        ("3 of 3 voted", "2 of 3 voted\n"),
    ],
)
def test_what_does_not_vary_matters(expected, printed):
    assert not matches(expected, printed)


def test_a_console_block_is_read_as_commands_and_what_they_print():
    block = Block("console", "$ moot a \\\n    --b\nprinted\ntwice\n$ moot c\n", 1)
    first, second = commands(block)
    assert (first.text, first.prints) == ("moot a \\\n    --b", "printed\ntwice")
    assert (second.text, second.prints) == ("moot c", "")


def test_a_comment_belongs_to_the_block_right_below_it(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("<!-- file: a.json -->\n```json\n{}\n```\n\n<!-- fails -->\n\n```console\n$ moot\n```\n")
    found = [(block.kind, block.said, block.value) for block in blocks(page)]
    assert found == [("json", "file", "a.json"), ("console", "", "")]


def test_a_kind_that_nobody_checks_is_refused(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```sh\nmoot\n```\n")
    with pytest.raises(ValueError, match="'sh'"):
        list(blocks(page))
