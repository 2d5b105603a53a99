"""`moot dev` on a folder of its own: it starts, refuses a second, stops, survives a kill, and goes on."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from temporalio.client import Client

READY_WITHIN = 60.0  # seconds; the figure itself is the bench's, on a quiet machine
STOPPED_WITHIN = 10.0
DEAD_WITHIN = 5.0


class Running:
    """One `moot dev` and what it printed so far."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self.log = folder / "out"
        with self.log.open("w") as out:
            self.process = subprocess.Popen(
                moot("dev", "--ports", "auto", *arguments),
                cwd=folder,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=environ(),
            )

    def wait_until_ready(self) -> dict[str, Any]:
        assert eventually(
            lambda: "ready in" in self.log.read_text() or self.process.poll() is not None, READY_WITHIN
        )
        assert self.process.poll() is None, self.log.read_text()
        found: dict[str, Any] = json.loads((self.folder / ".folkmoot" / "stack.json").read_text())
        return found


def moot(*arguments: str) -> list[str]:
    return [sys.executable, "-P", "-m", "cli.main", *arguments]


def environ() -> dict[str, str]:
    ours = ("FOLKMOOT_KAFKA", "FOLKMOOT_DATABASE_URL", "TEMPORAL_ADDRESS", "FOLKMOOT_DATA")
    return {name: value for name, value in os.environ.items() if name not in ours} | {
        "PYTHONPATH": str(Path.cwd())
    }


def eventually(holds: Callable[[], bool], within: float) -> bool:
    until = time.monotonic() + within
    while not holds() and time.monotonic() < until:
        time.sleep(0.05)
    return holds()


def living(folder: Path, pids: Iterable[int] = ()) -> list[str]:
    """Processes whose command line names the folder, and those of `pids`, that run."""
    ps = ["/bin/ps", "-eww", "-o", "pid=,stat=,args="]
    lines = subprocess.run(ps, capture_output=True, text=True, check=True).stdout.splitlines()
    wanted = {str(pid) for pid in pids}
    return [
        line
        for line in lines
        if (str(folder) in line or line.split()[0] in wanted) and line.split()[1][0] != "Z"
    ]


def children(stack: dict[str, Any]) -> list[int]:
    return [part["pid"] for part in stack["parts"].values()]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One stack for the tests that leave it as it was."""
    running = Running(tmp_path_factory.mktemp("running"), "--no-workers")
    running.wait_until_ready()
    yield running
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(STOPPED_WITHIN) == 0


@pytest.fixture
def dev(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def start(*arguments: str) -> Running:
        started.append(Running(tmp_path, *arguments))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()
    assert eventually(lambda: not living(tmp_path), DEAD_WITHIN)


async def put(stack: dict[str, Any]) -> None:
    """One acknowledged record, one committed row, one running workflow."""
    admin = AIOKafkaAdminClient(bootstrap_servers=stack["kafka"])
    await admin.start()
    await admin.create_topics([NewTopic("words", 1, 1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=stack["kafka"], acks="all") as producer:
        await producer.send_and_wait("words", b"a word")
    connection = await asyncpg.connect(stack["database_url"])
    await connection.execute("CREATE TABLE word AS SELECT 'a word' AS word")
    await connection.close()
    client = await Client.connect(stack["temporal_address"])
    await client.start_workflow("Waiting", id="a-word", task_queue="nobody")


async def found(stack: dict[str, Any]) -> tuple[bytes | None, str, str]:
    async with AIOKafkaConsumer(
        "words", bootstrap_servers=stack["kafka"], auto_offset_reset="earliest"
    ) as consumer:
        record = await consumer.getone()
    connection = await asyncpg.connect(stack["database_url"])
    row = await connection.fetchval("SELECT word FROM word")
    await connection.close()
    client = await Client.connect(stack["temporal_address"])
    described = await client.get_workflow_handle("a-word").describe()
    return record.value, row, described.status.name if described.status else ""


def test_a_stack_starts_is_found_by_other_commands_and_stops_within_ten_seconds(dev, tmp_path):
    running = dev()
    stack = running.wait_until_ready()
    assert list(stack["parts"]) == ["kafka", "postgres", "temporal", "orchestrator", "projector"]
    assert all(f"pid {pid} " in running.log.read_text() for pid in children(stack))
    status = subprocess.run(
        moot("status", "--json"), cwd=tmp_path, capture_output=True, env=environ(), check=False
    )
    assert status.returncode == 0
    parts = json.loads(status.stdout)["parts"]
    assert [parts[part]["version"] for part in ("kafka", "temporal")] == ["4.3.0", "1.32.0"]
    assert parts["postgres"]["version"].startswith("18.")
    assert {name: part["pid"] for name, part in parts.items()} == {
        name: part["pid"] for name, part in stack["parts"].items()
    }
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(STOPPED_WITHIN) == 0
    assert not living(tmp_path, children(stack))
    assert not (tmp_path / ".folkmoot" / "stack.json").exists()


def test_a_second_stack_on_the_folder_is_refused_in_one_line_naming_the_first(running):
    second = subprocess.run(
        moot("dev", "--ports", "auto"),
        cwd=running.folder,
        capture_output=True,
        text=True,
        env=environ(),
        check=False,
        timeout=10,
    )
    assert (second.returncode, second.stdout) == (1, "")
    assert second.stderr.count("\n") == 1
    assert f"process {running.process.pid} " in second.stderr


def test_status_names_a_stopped_kafka_and_does_not_wait_for_it(running):
    kafka = running.wait_until_ready()["parts"]["kafka"]["pid"]
    os.kill(kafka, signal.SIGSTOP)
    try:
        began = time.monotonic()
        status = subprocess.run(
            moot("status", "--json"), cwd=running.folder, capture_output=True, env=environ(), check=False
        )
        took = time.monotonic() - began
    finally:
        os.kill(kafka, signal.SIGCONT)
    parts = json.loads(status.stdout)["parts"]
    assert status.returncode == 1
    assert parts["kafka"]["problem"]
    assert not parts["temporal"]["problem"]
    assert took < 10.0  # 3 s are promised, on a machine that does nothing else


async def test_after_kill_9_no_child_lives_on_and_the_next_start_finds_everything(dev, tmp_path):
    first = dev()
    stack = first.wait_until_ready()
    await put(stack)
    assert len(living(tmp_path, children(stack))) >= len(stack["parts"])
    first.process.kill()
    first.process.wait()
    assert eventually(lambda: not living(tmp_path, children(stack)), DEAD_WITHIN)
    assert await found(dev("--no-workers").wait_until_ready()) == (b"a word", "a word", "RUNNING")


def test_a_start_right_after_kill_9_waits_for_what_is_still_ending(dev):
    first = dev("--no-workers")
    first.wait_until_ready()
    first.process.kill()
    dev("--no-workers").wait_until_ready()


async def test_a_server_that_dies_is_started_again_with_its_data(dev):
    running = dev("--no-workers")
    stack = running.wait_until_ready()
    await put(stack)
    for part in ("kafka", "postgres", "temporal"):
        os.kill(stack["parts"][part]["pid"], signal.SIGKILL)
    lines = lambda: running.log.read_text().splitlines()  # noqa: E731 # read anew at each look
    assert eventually(lambda: sum(" died " in line for line in lines()) == 3, READY_WITHIN)
    assert eventually(lambda: sum(" pid " in line for line in lines()) == 6, READY_WITHIN)
    assert await found(stack) == (b"a word", "a word", "RUNNING")


def test_a_part_that_dies_again_and_again_is_not_ready_between_its_deaths(dev, tmp_path):
    running = dev()
    running.wait_until_ready()
    started = lambda: running.log.read_text().count("\nprojector ")  # noqa: E731 # read anew at each look
    asked = lambda: subprocess.run(  # noqa: E731 # anew too
        moot("status"), cwd=tmp_path, capture_output=True, text=True, env=environ(), check=False
    )
    for deaths in range(3):
        said = asked()
        assert (said.returncode, "the last 60 s" in said.stdout) == (0, False), said.stdout
        stack = json.loads((tmp_path / ".folkmoot" / "stack.json").read_text())
        os.kill(stack["parts"]["projector"]["pid"], signal.SIGKILL)
        # A line for each death and for each time that it was ready, the first one included.
        assert eventually(lambda said=3 + 2 * deaths: started() == said, READY_WITHIN)
    said = asked()
    (line,) = [line for line in said.stdout.splitlines() if line.startswith("projector ")]
    assert f"died 3 times in the last 60 s; see {stack['parts']['projector']['log']} pid " in line
    assert said.returncode == 1


def test_servers_that_the_environment_names_are_not_started(tmp_path, kafka, postgres_server, temporal):
    given = {
        "FOLKMOOT_KAFKA": kafka,
        "FOLKMOOT_DATABASE_URL": postgres_server.url(),
        "TEMPORAL_ADDRESS": temporal,
    }
    log = tmp_path / "out"
    with log.open("w") as out:
        process = subprocess.Popen(
            moot("dev", "--no-workers"), cwd=tmp_path, stdout=out, env=environ() | given
        )
    try:
        assert eventually(lambda: "ready in" in log.read_text(), READY_WITHIN)
        stack = json.loads((tmp_path / ".folkmoot" / "stack.json").read_text())
        assert (stack["kafka"], stack["temporal_address"], stack["parts"]) == (kafka, temporal, {})
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOPPED_WITHIN) == 0
