"""A node that one process has open, and others that write by it meanwhile."""

import asyncio
import json
import signal
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from domain.context.commands import PutContext
from domain.refusal import Refusal
from tests.integration.context.test_client import WEATHER, on_the_log
from tests.integration.projections.bed import until
from workers.context_node import file_of
from workers.node_beside import NodeBeside, NodeGone, writing
from workers.node_door import door
from workers.outbox_file import OutboxTaken


@pytest.fixture
async def opened(settings, client):
    """The node eu-1, open in this process, with its door."""
    async with client() as node, door(node, file_of(settings.data, "eu", "eu-1")):
        yield node


async def test_who_comes_beside_writes_by_the_node_that_is_open(settings, opened):
    async with writing(settings, "eu", "eu-1", 0) as beside:
        assert isinstance(beside, NodeBeside)
        answer = await beside.put(*WEATHER, {"wind": 3}, flags=["user_facing"])
        assert (answer.local_version, answer.conflicts_detected) == ("eu-1:1", 0)
        assert (await opened.put(*WEATHER, {"wind": 4})).local_version == "eu-1:2"
        with pytest.raises(Refusal, match="if_version: is eu-1:1, but the region has eu-1:2"):
            await beside.put(*WEATHER, 5, if_version="eu-1:1")
        assert await beside.drained(10) == 0
        assert beside.waiting_for is None
    assert [event.data.value for event in await on_the_log(settings)] == [{"wind": 3}, {"wind": 4}]


async def test_many_at_once_come_to_one_count(settings, opened):
    async def put(number):
        async with writing(settings, "eu", "eu-1", 0) as beside:
            commands = [PutContext("situational", f"k{n}", number, "w") for n in range(20)]
            return [one.local_version for one in await beside.put_many(commands)]

    found = await asyncio.gather(*map(put, range(8)))
    for versions in zip(*found, strict=True):
        assert sorted(versions) == [f"eu-1:{count}" for count in range(1, 9)]


async def test_a_node_that_ends_in_the_middle_is_told_and_opened_here_the_next_time(settings, client):
    async with client() as node, door(node, file_of(settings.data, "eu", "eu-1")):
        held = writing(settings, "eu", "eu-1", 0)
        beside = await held.__aenter__()
        await beside.put(*WEATHER, 1)
    with pytest.raises(NodeGone, match="the process of node eu-1 ended"):
        await beside.put(*WEATHER, 2)
    await held.__aexit__(None, None, None)
    async with writing(settings, "eu", "eu-1", 0) as own:
        assert not isinstance(own, NodeBeside)
        assert (await own.put(*WEATHER, 3)).local_version == "eu-1:2"


async def test_a_node_without_a_door_is_waited_for_and_then_told(settings, client):
    async with client():
        with pytest.raises(OutboxTaken, match="has the outbox of eu-1 open"):
            async with writing(settings, "eu", "eu-1", 0.3):
                pass


@pytest.fixture
async def worker(environ, temporal, tmp_path):
    """Starts `moot worker node` for eu-1; its process, and what it says."""
    started = []

    async def start(*words):
        log = tmp_path / f"worker-{len(started)}.log"
        with log.open("wb") as said:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "cli.main", "worker", "node"),
                *("--id", "eu-1", "--region", "eu", *words),
                env={**environ, "TEMPORAL_ADDRESS": temporal, "PYTHONPATH": str(Path.cwd())},
                stdout=said,
                stderr=said,
            )
        started.append(process)

        async def opened():
            return "node.context_open" in log.read_text()

        await until(opened, "it has its outbox")
        return process, log

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_worker_passes_on_what_waits_and_a_put_beside_it_is_quick(settings, client, worker, moot):
    async with client() as node:  # a put whose way to Kafka is cut, as its process ends
        node._draining.more = lambda: None
        node._draining._outbox.unsent = lambda _: []
        await node.put(*WEATHER, "waits")
    process, _ = await worker()

    async def there():
        return [event.data.value for event in await on_the_log(settings)] == ["waits"]

    await until(there, "the worker passed it on")
    began = time.monotonic()
    status, out, said = await moot("put", *WEATHER, '"beside"', "--node", "eu-1", "--json")
    assert (status, said) == (0, "")
    assert json.loads(out)["local_version"] == "eu-1:2"
    assert time.monotonic() - began < 5
    process.send_signal(signal.SIGKILL)
    await process.wait()
    status, out, said = await moot("put", *WEATHER, '"alone"', "--node", "eu-1", "--json")
    assert (status, said, json.loads(out)["local_version"]) == (0, "", "eu-1:3")
    process, log = await worker("--metrics", "127.0.0.1:0")
    (address,) = (
        line["address"] for line in map(json.loads, log.read_text().splitlines()) if "address" in line
    )

    def numbers():
        with urllib.request.urlopen(address, timeout=5) as page:  # noqa: S310 # of our own process
            return page.read().decode()

    async def served():
        return "context_outbox_depth{" in await asyncio.to_thread(numbers)

    await until(served, "how much waits is served")
    (depth,) = (line for line in numbers().splitlines() if line.startswith("context_outbox_depth{"))
    assert depth.endswith("} 0")
    (there,) = (line for line in numbers().splitlines() if line.startswith("context_outbox_open{"))
    assert there.endswith("} 1")
    assert 'node="eu-1"' in depth
    assert 'region="eu"' in depth
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0
    assert "server.away" not in log.read_text()
    assert [event.data.value for event in await on_the_log(settings)] == ["waits", "beside", "alone"]
