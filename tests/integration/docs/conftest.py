"""One running stack for all pages, and the environment of their reader."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.stack import running


@dataclass(frozen=True)
class Running:
    """What a reader of a page has, what `moot dev` has said, and where its Web UI is."""

    environ: dict[str, str]
    said: str
    ui: str


def clean() -> dict[str, str]:
    """The environment of a reader who has set nothing, with our `moot`, `python` and `temporal` first."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FOLKMOOT_", "TEMPORAL_"))}
    return {**kept, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}", "COLUMNS": "100"}


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("stack")
    with running(folder) as found:
        own = {
            "FOLKMOOT_DATA": str(folder / ".folkmoot"),
            "TEMPORAL_ADDRESS": found.settings.temporal_address,  # for the `temporal` command
        }
        said = (folder / "dev.log").read_text()
        yield Running({**clean(), **own}, said, said.partition("Web UI ")[2].partition(";")[0])
