"""What the embedded stack holds in memory when idle, and how long it and the command line take to start."""

import statistics
import subprocess
import time

from bench.family import megabytes
from bench.figure import Figure
from bench.stack import MOOT, Stack

IDLE_SECONDS = 10.0


def measure(stack: Stack) -> list[Figure]:
    """Memory per process after ten idle seconds; the time of `moot --help`."""
    time.sleep(IDLE_SECONDS)
    parts = megabytes(stack.process.pid)
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
