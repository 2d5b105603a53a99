"""How every command speaks: results on stdout, refusals on stderr in one line."""

import json
import shutil
import sys
import textwrap
from collections.abc import Callable
from typing import Any

from domain.refusal import Refusal
from domain.strict_json import printable

LONGEST_LINE = 500


def emit(as_json: bool, data: Any, human: str | Callable[[], str]) -> None:  # noqa: FBT001 # the flag's value, passed on
    """Print a result once: `data` as one line of JSON, or `human` (a text, or what makes it)."""
    if as_json:
        text = inert(json.dumps(data, ensure_ascii=False, default=str))
    else:
        text = human() if callable(human) else human
        if sys.stdout.isatty():
            text = folded(text, columns())
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def columns() -> int:
    """The width of the terminal, 100 where there is none."""
    return shutil.get_terminal_size((100, 24)).columns


def folded(text: str, width: int) -> str:
    """Lines wider than `width` go on below, indented; words stay whole, since ids and keys are copied."""
    return "\n".join(_folded(line, width) if len(line) > width else line for line in text.split("\n"))


def _folded(line: str, width: int) -> str:
    below = " " * (len(line) - len(line.lstrip()) + 4)
    return textwrap.fill(line, width, subsequent_indent=below, break_long_words=False, break_on_hyphens=False)


def inert(line: str) -> str:
    """One line of JSON with escapes for what a terminal acts on: controls, and marks that turn text round."""
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in line)


def refused(error: Refusal) -> None:
    """Say no in one line on stderr, with or without `--json`: stdout carries results only."""
    say(f"moot: {error}")


def say(line: str) -> None:
    """One line on stderr, fit for a terminal whatever it holds."""
    sys.stderr.write(printable(" ".join(line.split()), LONGEST_LINE) + "\n")
    sys.stderr.flush()
