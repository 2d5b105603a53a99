"""Apache Kafka in KRaft mode: one node that is broker and controller, its log in a folder."""

import os
import socket
import struct
import subprocess
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path

from domain.refusal import Refusal
from workers.embedded import jars, java
from workers.embedded.ports import HOST
from workers.embedded.server import Launch

_ANSWER_WITHIN = 1.0  # seconds
_FORMAT_WITHIN = 60.0  # seconds
_HEAP = ("-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError")
_LOGGING = (
    "defaultLogLevel=warn",
    "log.kafka.server.KafkaRaftServer=info",
    "showDateTime=true",
    "dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
)
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={folder}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
# With the defaults a broker that was killed hard takes 11 s to come back, with these 3 s.
broker.session.timeout.ms=1500
broker.heartbeat.interval.ms=300
# One small machine: the defaults are for a server with many cores and disks.
num.network.threads=2
num.io.threads=3
background.threads=2
log.cleaner.dedupe.buffer.size=2097152
"""


class Kafka:
    """A broker on `port`, its controller on `controller`, its data in `folder`, settings beside it."""

    name = "kafka"
    version = jars.VERSION
    start_within = 60.0
    stop_within = 5.0
    restarts = 6

    def __init__(
        self, folder: Path, port: int, controller: int, environ: Mapping[str, str], progress: jars.Progress
    ) -> None:
        self._folder, self._port, self._controller = folder.absolute(), port, controller
        self._environ, self._progress = environ, progress

    @property
    def address(self) -> str:
        return f"{HOST}:{self._port}"

    def prepare(self) -> Launch:
        runtime = java.choose(self._environ)
        found = jars.classpath(jars.cache_folder(self._environ).absolute(), self._progress)
        # As a variable: 46 jars on the command line would make every `ps` unreadable. And a locale without
        # which Java finds no file under a folder whose name is not ASCII.
        environ = {"CLASSPATH": os.pathsep.join(map(str, found)), "LC_ALL": "C.UTF-8"}
        run: list[str | Path] = [runtime.path.absolute(), *_HEAP]
        run += [f"-Dorg.slf4j.simpleLogger.{setting}" for setting in _LOGGING]
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        if not (self._folder / "meta.properties").exists():
            self._format(run, environ)
        # -Dkafka.logs.dir names the folder on the command line, so that `ps` tells two stacks apart.
        run += [f"-Dkafka.logs.dir={self._folder}", "kafka.Kafka", self._write_properties(self._folder.name)]
        return Launch(run, environ=environ, folder=self._folder.parent)

    def ready(self, pid: int) -> bool:  # noqa: ARG002 # this server is known by its port
        return answers(HOST, self._port, _ANSWER_WITHIN)

    def _format(self, run: list[str | Path], environ: Mapping[str, str]) -> None:
        # Beside its place, then renamed: a format that was cut off must not look like a formatted folder.
        fresh = self._folder.with_name(self._folder.name + ".new")
        cluster = _cluster_id()
        tool = ["kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", cluster, "-c"]
        done = subprocess.run(  # noqa: S603 # the java that was chosen, with arguments put together here
            [*run, *tool, self._write_properties(fresh.name)],
            capture_output=True,
            env={**self._environ, **environ},
            timeout=_FORMAT_WITHIN,
            cwd=self._folder.parent,
            umask=0o077,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode != 0:
            said = (done.stderr + done.stdout).decode("utf-8", "replace").strip().splitlines()
            raise Refusal(
                "kafka", f"{fresh} could not be formatted: {said[-1] if said else 'no reason given'}"
            )
        fresh.rename(self._folder)

    def _write_properties(self, folder: str) -> str:
        # Named without its path, and Kafka runs beside it: of a path it would take a comma for the end of a
        # name and a letter for two, and keep the log in some other folder.
        file = self._folder.with_suffix(".properties")
        file.write_text(
            _PROPERTIES.format(host=HOST, port=self._port, controller=self._controller, folder=folder),
            "ascii",
        )
        return file.name


def answers(host: str, port: int, within: float) -> bool:
    """Whether a Kafka broker answers there, asked with an ApiVersions request, version 0.

    An open port is not enough: a stopped process (SIGSTOP) still accepts connections.
    """
    request = struct.pack(">hhih", 18, 0, 1, -1)  # key, version, correlation id, no client id
    try:
        with socket.create_connection((host, port), timeout=within) as connection:
            connection.settimeout(within)
            connection.sendall(struct.pack(">i", len(request)) + request)
            return connection.recv(10)[4:10] == struct.pack(">ih", 1, 0)  # our correlation id, no error
    except OSError:
        return False


def _cluster_id() -> str:
    """As Kafka makes its own: none begins with `-`, which its tool would take for an option."""
    while (made := urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()).startswith("-"):
        pass
    return made
