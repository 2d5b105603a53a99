"""`moot demo` from outside: real servers, real kills, and every number of the run itself."""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest

from cli import demo_learning_report as report

MOOT = [sys.executable, "-P", "-m", "cli.main"]


def _environ():
    return {k: v for k, v in os.environ.items() if not k.startswith(("FOLKMOOT_", "TEMPORAL_"))}


async def _demo(folder, *words):
    return await asyncio.create_subprocess_exec(
        *MOOT,
        "demo",
        *words,
        cwd=folder,
        env=_environ(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def _found(process):
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()[-2000:]
    return json.loads(out)


@pytest.mark.timeout(240)
async def test_the_demo_decides_the_anaesthetists_cases_survives_kills_and_finds_the_tampering(tmp_path):
    found = await _found(await _demo(tmp_path, "--json"))
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


@pytest.fixture
def ctrl_c():
    """What a shell starts in the background ignores Ctrl-C, and so would all that these tests start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.timeout(300)
async def test_the_conflict_demo_converges_ends_a_case_at_each_level_and_leaves_nothing_held(tmp_path):
    interrupted = await _demo(tmp_path, "conflict")
    async for line in interrupted.stdout:
        if line.startswith(b"2. The replicator is held"):
            break
    interrupted.send_signal(signal.SIGINT)
    await interrupted.communicate()
    assert interrupted.returncode == 130
    assert _living(tmp_path) == []

    found = await _found(await _demo(tmp_path, "conflict", "--json"))
    assert found["apart"]["layers"] == {"immediate": 3, "situational": 11, "cultural": 30, "historical": 2}
    apart, healed, together = (found[part]["hashes"] for part in ("apart", "healed", "together"))
    assert apart.keys() == healed.keys() == together.keys() == {"python", "debian", "icu"}
    assert len(set(apart.values())) == 3
    assert len(set(healed.values())) == len(set(together.values())) == 1
    assert healed != together  # the rulings are writes as well
    assert Counter(found["rules"].values()) == {
        "last_writer_wins": 1,
        "semantic_merge": 2,
        "regional_preference": 10,
        "temporal_merge": 1,
        None: 3,
    }
    told = ("key", "initial_level", "level_used", "escalations", "appeals", "authority", "final_authority")
    assert [tuple(case[name] for name in told) for case in found["cases"]] == [
        ("name/Asia/Kolkata", 1, 1, 0, 0, "rule", None),
        ("zone/Asia/Tehran", 2, 2, 0, 0, "consensus", None),
        ("zone/Europe/Amsterdam", 2, 3, 1, 1, "consensus", None),
        ("zone/Europe/Dublin", 4, 4, 0, 0, "person", True),
    ]
    assert json.loads(found["cases"][2]["resolution"]) == {"local_mean_time": 1050}
    assert found["trail"][-1] == "conflict.resolved.v1"
    assert found["trail"].count("conflict.appealed.v1") == 1
    assert found["verified"] is True
    assert _living(tmp_path) == []


def test_the_plots_of_the_learning_demo_are_pngs_of_the_runs_that_ran(tmp_path):
    pytest.importorskip("matplotlib")
    rounds = [{"round": at, "loss": 1 / at, "accuracy": 1 - 1 / at} for at in (1, 2)]
    found = {"one": {"title": "one", "evolution_metrics": rounds}, "two": {"title": "two", "refused": "so"}}
    files = report.plots(found, tmp_path / "plots")
    assert [file.name for file in files] == ["loss.png", "accuracy.png"]
    assert {_first(str(file), 4) for file in files} == {b"\x89PNG"}


@pytest.mark.chaos
@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.timeout(600)
async def test_the_learning_demo_survives_kills_dropouts_and_liars_and_leaves_nothing_running(tmp_path):
    pytest.importorskip("sklearn")
    interrupted = await _demo(tmp_path, "learning")
    async for line in interrupted.stdout:
        if line.startswith(b"1. 20 nodes"):
            break
    interrupted.send_signal(signal.SIGINT)
    await interrupted.communicate()
    assert interrupted.returncode == 130
    assert _living(tmp_path) == []

    found = await _found(await _demo(tmp_path, "learning", "--json"))
    runs = found["runs"]
    assert found["same_digest_after_kills"] is True
    assert runs["fedavg"]["digest"] == runs["fedavg-killed"]["digest"] != runs["fedprox"]["digest"]
    assert [runs[name]["accuracy"] > 0.75 for name in ("fedavg", "fedprox")] == [True, True]
    secure = runs["secure"]
    assert (secure["lost"], secure["updates"], secure["privacy_level"]) == (2, 58, "secure_sum")
    assert runs["attacked"]["accuracy"] < 0.4
    assert runs["robust"]["accuracy"] > 0.55
    assert runs["robust"]["updates"] == 4 * 16
    private = runs["private"]
    assert "is not installed here" in private.get("refused", "") or 0 < private["epsilon"] <= 3
    assert [_first(plot, 4) for plot in found["plots"]] == [b"\x89PNG"] * 2
    assert "changed" in found["audit"]["found"]
    assert _living(tmp_path) == []


def _first(file: str, count: int) -> bytes:
    return Path(file).read_bytes()[:count]


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
