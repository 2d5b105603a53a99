"""PostgreSQL 18 on a small machine: its cluster in a folder, one role, one database, one password."""

import hashlib
import os
import secrets
import shutil
import signal
from pathlib import Path

from workers.embedded import postgres_tools, unprivileged
from workers.embedded.ports import HOST
from workers.embedded.server import Launch

ROLE = DATABASE = "folkmoot"
# Text is sorted and folded the same on every machine, whatever its C library knows of languages.
_NEW = (
    "-A",
    "scram-sha-256",
    "-E",
    "UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
)
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
    restarts = 6

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
        self._version = postgres_tools.version()
        run_as = unprivileged.prefix([self._folder.parent, postgres_tools.binaries()])
        if not (self._folder / "PG_VERSION").exists():
            self._create(run_as)
        self._clear_leftover()
        server = postgres_tools.binaries() / "postgres"
        command: list[str | Path] = [*run_as, server, "-D", self._folder, "-p", str(self._port)]
        for name, value in {**_SETTINGS, "cluster_name": self._cluster}.items():
            command += ["-c", f"{name}={value}"]
        # SIGINT is a fast shutdown, SIGQUIT an immediate one that its own children obey too.
        without = postgres_tools.foreign_settings()
        return Launch(command, environ=without, stop=signal.SIGINT, kill=signal.SIGQUIT)

    def ready(self, pid: int) -> bool:
        """The postmaster says so itself in the last line of its pid file."""
        lines = self._pid_file()
        return bool(lines) and lines[0].strip() == str(pid) and lines[-1].strip() == "ready"

    @property
    def _cluster(self) -> str:
        """In the title of each of its processes, by which they are known when their postmaster is gone."""
        return f"folkmoot-{hashlib.sha256(str(self._folder).encode()).hexdigest()[:12]}"

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
        password = secrets.token_urlsafe(24)
        _write_secret(self._password_file, password)
        handed_over = fresh.with_name("postgres.pwfile")  # initdb reads it as the user it runs as
        _write_secret(handed_over, password)
        if run_as:
            unprivileged.give([fresh, handed_over])
        try:
            named: list[str | Path] = ["-U", ROLE, "--pwfile", handed_over]
            postgres_tools.run(run_as, "initdb", ["-D", fresh, *named, *_NEW])
        finally:
            handed_over.unlink(missing_ok=True)
        alone = ["--single", "-D", str(fresh), "postgres"]
        postgres_tools.run(run_as, "postgres", alone, f"CREATE DATABASE {DATABASE}\n")
        fresh.rename(self._folder)

    def _clear_leftover(self) -> None:
        # Whoever calls holds the lock of the data folder, so a postmaster of this cluster is one whose parent
        # was killed, and its pid file may name a number that belongs to a stranger by now.
        lines = self._pid_file() or [""]
        pid = int(lines[0]) if lines[0].strip().isdigit() else 0
        if pid:
            postgres_tools.end_leftover(pid, self._folder)
        postgres_tools.end_orphans(self._cluster)
        (self._folder / "postmaster.pid").unlink(missing_ok=True)


def _write_secret(file: Path, text: str) -> None:
    file.unlink(missing_ok=True)
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as opened:
        opened.write(text)
