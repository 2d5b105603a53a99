"""What is decided, and what is replayed, cannot look at clock, chance or machine without being found."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def found(file: str, line: str) -> str:
    """What the check of the whole project says about `file` if it had this line."""
    asked = ["check", "--select", "TID251", "--no-cache", "--stdin-filename", file, "-"]
    run = subprocess.run(
        [sys.executable, "-m", "ruff", *asked],
        input=line,
        text=True,
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    return run.stdout if run.returncode else ""


@pytest.mark.parametrize("file", ["domain/consensus/any.py", "workflows/any.py", "activities/any.py"])
@pytest.mark.parametrize(
    "line",
    [
        "import random\n",
        "from time import monotonic\n",
        "from uuid import uuid4\n",
        "from os import environ\n",
        "from numpy.random import default_rng\n",
        "from concurrent.futures import ThreadPoolExecutor\n",
        "from pathlib import Path\n",
        "import datetime\n\ndatetime.datetime.now(datetime.UTC)\n",
    ],
)
def test_a_look_at_the_world_is_found(file, line):
    assert "is banned" in found(file, line)


def test_others_may_look():
    assert not found("workers/any.py", "import random\n")
