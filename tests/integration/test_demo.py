"""`moot demo` from outside: real servers, real kills, and every number of the run itself."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

MOOT = [sys.executable, "-P", "-m", "cli.main"]


@pytest.mark.timeout(240)
async def test_the_demo_decides_the_anaesthetists_cases_survives_kills_and_finds_the_tampering(tmp_path):
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("FOLKMOOT_", "TEMPORAL_"))}
    process = await asyncio.create_subprocess_exec(
        *MOOT,
        "demo",
        "--json",
        cwd=tmp_path,
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()[-2000:]
    found = json.loads(out)
    patients = found["patients"]
    assert patients["log_likelihood"] == pytest.approx(-192.8909, abs=1e-3)
    assert patients["classes"] == {"1": 18, "2": 19, "3": 5, "4": 3}
    assert patients["overruled"] == ["2", "36"]
    assert found["live"] == {"status": "consensus", "consensus": "wait", "rounds_required": 2}
    killed = found["killed"]
    assert killed["decided"] == killed["projected"] == killed["items"]
    assert (killed["lost"], killed["doubled"]) == (0, 0)
    assert "changed after it was sealed" in found["audit"]["found"]
    assert _living(tmp_path) == []


def _living(folder: Path) -> list[str]:
    """Processes that still work in the folder or name it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            place = str((process / "cwd").readlink())
        except OSError:
            continue
        if str(folder) in line or place.startswith(str(folder)):
            found.append(line)
    return found
