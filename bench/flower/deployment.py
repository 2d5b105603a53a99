"""Flower's deployment of the task, one SuperLink and two SuperNodes; prints each round's seconds."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
PATIENCE = 600.0  # ten rounds take one minute, and ten where others use the machine
PROJECT = """
[project]
name = "digits"
version = "1.0.0"
license = { file = "LICENSE" }
dependencies = ["flwr>=VERSION"]
[tool.flwr.app]
publisher = "folkmoot"
fab-format-version = 1
flwr-version-target = "VERSION"
[tool.flwr.app.components]
serverapp = "apps:server_app"
clientapp = "apps:client_app"
[tool.flwr.app.config]
"""

SETTINGS = """
[superlink]
default = "bench"
[superlink.bench]
address = "127.0.0.1:{}"
insecure = true
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def made_project(folder: Path) -> Path:
    """The app as Flower's own command line wants it."""
    from importlib.metadata import version

    for name in ("apps.py", "task.py"):
        shutil.copy(HERE / name, folder)
    shutil.copy(HERE.parents[1] / "LICENSE", folder)
    (folder / "pyproject.toml").write_text(PROJECT.replace("VERSION", version("flwr")))
    return folder


def main() -> None:
    with tempfile.TemporaryDirectory() as name, ExitStack() as running:
        root = Path(name)
        link = free_port()
        (root / "home").mkdir()
        (root / "home" / "config.toml").write_text(SETTINGS.format(link))
        env = os.environ | {
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "HOME": str(root / "home"),
            "FLWR_HOME": str(root / "home"),
            "FLWR_TELEMETRY_ENABLED": "0",
            "FLOWER_CLIENTS": "2",
            "FLOWER_OUT": str(root / "rounds.json"),
        }

        def started(log: str, *command: str) -> Path:
            path = root / log
            with path.open("wb") as out:
                process = subprocess.Popen(
                    [str(BIN / command[0]), *command[1:]], env=env, stdout=out, stderr=out
                )
            running.callback(process.wait)
            running.callback(process.terminate)
            return path

        told = started("link.log", "flower-superlink", "--insecure", "--port", str(link))
        wait_for(told, "Application startup complete")
        for part in range(2):
            nodes = ["--insecure", "--superlink", f"127.0.0.1:{link}", "--port", str(free_port())]
            started(
                f"node{part}.log",
                "flower-supernode",
                *nodes,
                "--node-config",
                f"partition-id={part} num-partitions=2",
            )
        app = root / "app"
        app.mkdir()
        subprocess.run(
            [BIN / "flwr", "run", made_project(app), "bench"],
            env=env,
            check=True,
            timeout=PATIENCE,
            stdout=sys.stderr,
        )
        print(wait_for(root / "rounds.json", "{.*}"), flush=True)


def wait_for(log: Path, pattern: str) -> str:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if found := re.search(pattern, _text(log)):
            return found[0]
        time.sleep(0.2)
    raise SystemExit(f"no '{pattern}' in {PATIENCE:g} s:\n{_text(log)[-2000:]}")


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""


if __name__ == "__main__":
    main()
