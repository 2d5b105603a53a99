"""What the embedded stack holds in memory when idle, and how long it and the command line take to start."""

import statistics
import subprocess
import time
from pathlib import Path

from bench.figure import Figure
from bench.stack import MOOT, Stack

IDLE_SECONDS = 10.0


def measure(stack: Stack) -> list[Figure]:
    """Memory per process after ten idle seconds; the time of `moot --help`."""
    time.sleep(IDLE_SECONDS)
    parts = _family(stack.process.pid)
    figures = [Figure(f"memory, {name}", mb, "MB") for name, mb in sorted(parts.items(), key=lambda p: -p[1])]
    total = Figure("memory of the idle stack", sum(parts.values()), "MB", 700, "<=", "proportional set size")
    runs = [_help_seconds() for _ in range(7)]
    return [
        total,
        *figures,
        Figure("moot --help", statistics.median(runs), "s", 0.25, "<=", "median of 7"),
    ]


def warm_start(stack: Stack) -> Figure:
    """Of a stack that was started on a folder used before."""
    return Figure("warm start to ready", stack.seconds_to_ready, "s", 8, "<=")


def _help_seconds() -> float:
    started = time.perf_counter()
    subprocess.run([MOOT, "--help"], capture_output=True, check=True)
    return time.perf_counter() - started


def _family(root: int) -> dict[str, float]:
    """Proportional set size in MB by name, of `root` and all its descendants; shared pages count once."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            stat = (entry / "stat").read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        children.setdefault(int(stat[1]), []).append(int(entry.name))
    found: dict[str, float] = {}
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        waiting += children.get(pid, [])
        name, size = _named(pid), _pss(pid)
        found[name] = found.get(name, 0.0) + size
    return found


def _named(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    line = " ".join(words)
    known = {
        "worker orchestrator": "orchestrator",
        "worker projector": "projector",
        "kafka.Kafka": "kafka",
        "postgres": "postgres",
        "start-dev": "temporal",
        "moot dev": "moot dev",
    }
    return next((name for mark, name in known.items() if mark in line), Path(words[0]).name or "other")


def _pss(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)
