"""A whole stack of its own for a measurement: `moot dev` on free ports in a temporary folder."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from workers.settings import Settings, load

MOOT = Path(sys.executable).parent / "moot"
READY_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack: its folder, its settings, its process and how long it took to be ready."""

    folder: Path
    settings: Settings
    process: subprocess.Popen[bytes]
    seconds_to_ready: float


@contextmanager
def running(
    folder: Path | None = None, more: Mapping[str, str] | None = None, *, regions: str = ""
) -> Iterator[Stack]:
    """Start a stack and stop it at the end, whatever happened; `more` are settings of its processes."""
    with tempfile.TemporaryDirectory(prefix="moot-bench-") as made:
        home = folder or Path(made)
        environ = {k: v for k, v in os.environ.items() if not k.startswith(("FOLKMOOT_", "TEMPORAL_"))}
        environ |= more or {}
        started = time.perf_counter()
        with (home / "dev.log").open("wb") as log:
            process = subprocess.Popen(
                [MOOT, "dev", "--ports", "auto", "--regions", regions],
                cwd=home,
                stdout=log,
                stderr=log,
                env=environ,
            )
            try:
                _wait(home, process, environ)
                yield Stack(home, load(home, environ), process, time.perf_counter() - started)
            finally:
                process.send_signal(signal.SIGINT)
                process.wait(30)


def _wait(folder: Path, process: subprocess.Popen[bytes], environ: dict[str, str]) -> None:
    until = time.monotonic() + READY_SECONDS
    while subprocess.run(
        [MOOT, "status"], cwd=folder, env=environ, capture_output=True, check=False
    ).returncode:
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"moot dev did not get ready: {(folder / 'dev.log').read_text()[-800:]}")
        time.sleep(0.1)


@contextmanager
def bare_worker(module: str, stack: Stack) -> Iterator[int]:
    """A process of its own that serves the bare workflows of `module`; its pid, once it serves."""
    worker = subprocess.Popen(
        [sys.executable, "-m", module, stack.settings.temporal_address], stdout=subprocess.PIPE
    )
    try:
        if worker.stdout is not None:
            worker.stdout.readline()
        yield worker.pid
    finally:
        worker.kill()
        worker.wait()
