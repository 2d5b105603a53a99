"""A page of the documentation as the tests read it: its fenced blocks, and what a comment says of each.

On the line before a fence a comment, which no reader sees, may say one of these:

    <!-- file: NAME -->        the block is the content of that file, written into the page's folder
    <!-- fails -->             the block's last command ends with a status other than 0
    <!-- stays -->             the block's command goes on running until the page ends
    <!-- not run: WHY -->      the block is only read

A block of kind `console` holds commands after `$ ` (a line that ends with a backslash goes on) and what they
print. In what they print, `…` stands for any text of a line, and a line of `…` for any lines, also none.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])

_FENCE = re.compile(r"^```(\S*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"<!-- (file|fails|stays|not run)(?:: (.+))? -->\n\Z")
_KNOWN = ("", "bash", "console", "csv", "json", "python", "text")
# What differs from run to run, and would only tire the reader as an ellipsis.
_VARYING = (
    (r"folkmoot\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+", "VKEY"),
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "UUID"),
    (r"\b[0-9a-f]{64}\b", "SHA256"),
    (r"\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?", "TIME"),
    (r"\b(127\.0\.0\.1|localhost):\d+", "ADDRESS"),
    (r"\bpid \d+", "PID"),
    (r"\boffset \d+", "OFFSET"),
    (r"\bleaf \d+ of \d+", "LEAF"),
    (r"\b\d+\.\d+ s\b", "SECONDS"),
    (r"[ \t]+$", ""),
    (r"(?<=\S)[ \t]+", " "),
)


@dataclass(frozen=True, slots=True)
class Block:
    """One fence: its kind, text and line, and what its comment says (`said` and its `value`)."""

    kind: str
    text: str
    line: int
    said: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a console block and what the page says that it prints."""

    text: str
    prints: str


def blocks(page: Path) -> Iterator[Block]:
    """The page's fences in order.

    Raises:
        ValueError: a kind or a comment that nobody knows.
    """
    text = page.read_text("utf-8")
    for fence in _FENCE.finditer(text):
        comment = _COMMENT.search(text, 0, fence.start())
        line = text.count("\n", 0, fence.start()) + 1
        if fence[1] not in _KNOWN:
            raise ValueError(f"{page}:{line}: a block of the kind {fence[1]!r}")
        said, value = (comment[1], comment[2] or "") if comment else ("", "")
        yield Block(fence[1], fence[2], line, said, value)


def commands(block: Block) -> list[Command]:
    """The commands of a console block in order."""
    found: list[tuple[list[str], list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append(([line[2:]], []))
        elif not found:
            raise ValueError(f"line {block.line}: a console block begins with `$ `")
        elif found[-1][0][-1].endswith("\\") and not found[-1][1]:
            found[-1][0].append(line)
        else:
            found[-1][1].append(line)
    return [Command("\n".join(command), "\n".join(prints)) for command, prints in found]


def matches(expected: str, printed: str) -> bool:
    """Whether the page tells the truth about what was printed, ids, times and addresses aside."""
    pattern = ""
    for line in _settled(expected).splitlines():
        if line.strip() == "…":
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += "[^\n]*".join(re.escape(part) for part in line.split("…")) + r"\n"
    lines = "".join(f"{line}\n" for line in _settled(printed).splitlines())
    return re.fullmatch(pattern, lines) is not None


def _settled(text: str) -> str:
    for varying, name in _VARYING:
        text = re.sub(varying, name, text, flags=re.MULTILINE)
    return text.strip("\n")
