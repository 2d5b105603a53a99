"""Writes the generated pages of the reference: `python -m docs.generate`, or `make docs`."""

from collections.abc import Callable
from pathlib import Path

from docs.generate import commands, events, inputs, settings, tables

PLACE = Path(__file__).parents[1] / "reference"
PAGES: dict[str, Callable[[], str]] = {
    "cli.md": commands.page,
    "inputs.md": inputs.page,
    "settings.md": settings.page,
    "tables.md": tables.page,
}


def main() -> None:
    for name, page in PAGES.items():
        (PLACE / name).write_text(page(), "utf-8")
    for name, text in events.documents(events.golden()).items():
        (PLACE / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
