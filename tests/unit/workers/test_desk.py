"""A person at a terminal, which here is a pipe."""

import asyncio
import os
import sys

import pytest

from workers.desk import Terminal


@pytest.fixture
def keyboard(monkeypatch):
    """Types text; ends with the test."""
    screen, typing = os.pipe()
    with os.fdopen(typing, "wb", buffering=0) as keys:
        monkeypatch.setattr(sys, "stdin", os.fdopen(screen))
        yield keys


@pytest.fixture
async def desk(keyboard):
    desk = Terminal()
    yield desk
    desk.close()
    await asyncio.sleep(0)  # the loop closes the pipe in its next turn


async def test_each_question_is_shown_and_gets_the_lines_that_were_typed_for_it(desk, keyboard, capsys):
    keyboard.write(b"p1\nbecause\np2\nno\xff\n")
    both = [desk.ask([f"question {number}"], ["choice", "why"]) for number in (1, 2)]
    assert await asyncio.gather(*both) == [["p1", "because"], ["p2", "no\ufffd"]]
    shown = capsys.readouterr().err
    assert shown.index("question 1") < shown.index("choice: why: ") < shown.index("question 2")


async def test_a_terminal_that_was_closed_is_nobody(desk, keyboard):
    keyboard.write(b"p1\nhalf")
    keyboard.close()
    with pytest.raises(EOFError, match="nobody sits at the terminal"):
        await desk.ask([], ["choice", "why"])
