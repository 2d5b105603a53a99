"""Flower beside us, in an environment of its own (`make .venv-flower/.installed`), in the same run."""

import json
import os
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.family import family, megabytes
from bench.figure import Figure

HERE = Path(__file__).parent
PYTHON = Path(os.environ.get("FLOWER_PYTHON", HERE.parent / ".venv-flower" / "bin" / "python"))
ABSENT = "Flower is not installed: make .venv-flower/.installed"
LONGEST = 900.0
LOOK = 0.25


@dataclass(frozen=True, slots=True)
class Peer:
    """What a script of `bench/flower` said, and the most that its processes held together, in MB."""

    said: dict[str, object]
    megabytes: float

    @property
    def rounds(self) -> list[float]:
        found = self.said["rounds"]
        return [float(each) for each in found] if isinstance(found, list) else []


def no_result(name: str, error: RuntimeError) -> Figure:
    """What stands in the place of a peer that failed, by its last words: what was measured of ours stands."""
    return Figure(name, 0.0, "s", note=f"no result: {str(error).strip().splitlines()[-1][:160]}")


def there() -> bool:
    return PYTHON.exists()


def run(script: str, *arguments: str, clients: int = 0) -> Peer | None:
    """Run it to its end; None where Flower is not installed.

    Raises:
        RuntimeError: it failed, or took longer than a quarter of an hour.
    """
    if not there():
        return None
    with tempfile.TemporaryDirectory(prefix="moot-bench-") as folder:
        out, log = Path(folder) / "out.json", Path(folder) / "log"
        environ = os.environ | {"FLOWER_CLIENTS": str(clients), "FLOWER_OUT": str(out), "HOME": folder}
        environ |= {"FLWR_TELEMETRY_ENABLED": "0", "RAY_USAGE_STATS_ENABLED": "0"}
        with log.open("wb") as told:
            process = subprocess.Popen(
                [PYTHON, HERE / "flower" / script, *arguments], env=environ, stdout=told, stderr=told
            )
        most, until = 0.0, time.monotonic() + LONGEST
        try:
            while process.poll() is None and time.monotonic() < until:
                most = max(most, sum(megabytes(process.pid).values()))
                time.sleep(LOOK)
        finally:
            _ended(process)
        text = log.read_text(errors="replace")
        said = out.read_text() if out.exists() else _last_object(text)
        if not said:
            raise RuntimeError(f"Flower's {script} failed: {text[-800:]}")
        return Peer(json.loads(said), most)


def _ended(process: subprocess.Popen[bytes]) -> None:
    """It, and what it started: one that is killed for its time leaves its servers behind."""
    if process.poll() is None:
        for pid in [*family(process.pid)]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()


def _last_object(text: str) -> str:
    """The deployment prints what the simulation writes."""
    return next((line for line in reversed(text.splitlines()) if line.startswith("{")), "")
