"""Kill -9 of a node while it puts: what was answered is on the log, and readers see each write once."""

import asyncio
import os
import random
import secrets
import signal
import sys
from collections import defaultdict

import pytest

from domain.context.state import absorb
from eventlog.codec import decode
from eventlog.reader import LogReader
from eventlog.topic_setup import ensure_topics
from workers.context_client import ContextClient
from workers.settings import Settings

KEYS = 7
NODE = """
import asyncio, sys
from pathlib import Path
from workers.context_client import ContextClient
from workers.settings import Settings

async def main(kafka, prefix, data):
    settings = Settings(kafka, "", "", "default", "c", prefix, "", "", Path(data))
    async with ContextClient(settings, "eu", "eu-1", within=10.0) as client:
        async def put(caller):
            for number in range(10**9):
                key = f"k{(number + caller) % 7}"
                answer = await client.put("cultural", key, number, flags=["historical"] * (caller % 2))
                print(answer.context_id, flush=True)
        await asyncio.gather(*map(put, range(20)))

asyncio.run(main(*sys.argv[1:]))
"""


async def killed_after(seconds, *arguments):
    """The ids that a node had answered when it was killed."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", NODE, *map(str, arguments)),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    first = await asyncio.wait_for(child.stdout.readline(), 30)
    await asyncio.sleep(seconds)  # the moment is the point: nothing is waited for
    child.send_signal(signal.SIGKILL)
    rest = await child.stdout.read()
    assert await child.wait() == -signal.SIGKILL
    lines = (first + rest).decode().splitlines(keepends=True)
    return [line.strip() for line in lines if line.endswith("\n")]


async def on_the_log(kafka, prefix):
    """Every value of the region's topic, partition by partition."""
    async with LogReader(kafka, prefix) as reader:
        found = []
        for partition in await reader.partitions("context.eu"):
            start, end = await reader.beginning_and_end("context.eu", partition)
            async for batch in reader.batches("context.eu", partition, start, end):
                found += [record.value for record in batch]
    return found


@pytest.mark.parametrize("kills", [4, pytest.param(30, marks=[pytest.mark.chaos, pytest.mark.timeout(600)])])
async def test_a_node_killed_while_it_puts_loses_nothing_and_doubles_nothing(
    kafka, topic_prefix, tmp_path, kills
):
    seed = secrets.randbits(32)
    print(f"seed {seed}")  # noqa: T201 # pytest shows it when the test fails
    chance = random.Random(seed)  # noqa: S311 # chance, not secrecy
    await ensure_topics(kafka, topic_prefix, regions=["eu"])
    answered = []
    for _ in range(kills):
        answered += await killed_after(chance.uniform(0, 0.6), kafka, topic_prefix, tmp_path)
    settings = Settings(kafka, "", "", "default", "c", topic_prefix, "", "", tmp_path)
    async with ContextClient(settings, "eu", "eu-1", within=10.0) as last:
        assert await last.drained(20) == 0
    told, entries, counters = {}, {}, defaultdict(list)
    for value in await on_the_log(kafka, topic_prefix):
        event = decode(value)
        if told.setdefault(event.id, value) is value:
            counters[event.data.key].append(event.data.counter)
        entry, standing = absorb(entries.get(event.stream), event.data)
        entries[event.stream] = entry
        assert told[event.id] == value  # the same to the byte
        assert standing in ("new", "duplicate", "dominated")
    assert len(answered) >= kills
    assert len(set(answered)) == len(answered)
    assert set(answered) <= set(told)
    assert len(told) - len(answered) <= kills * 20  # stored, and its answer was lost: one for each caller
    assert len(counters) == KEYS
    for numbers in counters.values():
        assert sorted(numbers) == list(range(1, len(numbers) + 1))
    for entry in entries.values():
        assert [write.counter for write in entry.siblings] == [len(counters[entry.key])]
