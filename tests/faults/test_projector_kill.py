"""Kill -9 of the projector process at work: nothing is lost, nothing counts twice, and it is soon back."""

import asyncio
import os
import random
import signal
import sys
import time

import asyncpg
import pytest

from eventlog.reader import LogReader
from eventlog.topic_setup import ensure_topics
from eventlog.writer import LogWriter
from tests.integration.projections.bed import Bed, history, until

BACK_WITHIN = 5.0  # seconds, on a quiet machine
PATIENCE = 3.0  # a machine that is busy otherwise may take so many times that
AT_ONCE = 10  # deliberations


class Projector:
    """`moot worker projector` as a process of its own."""

    def __init__(self, kafka, prefix, database, folder):
        self._environ = {
            **os.environ,
            "FOLKMOOT_KAFKA": kafka,
            "FOLKMOOT_TOPIC_PREFIX": prefix,
            "FOLKMOOT_DATABASE_URL": database,
            "FOLKMOOT_DATA": str(folder),
        }
        self._log = folder / "projector.log"
        self.process = None

    async def start(self):
        with self._log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "cli.main", "worker", "projector", env=self._environ, stderr=log
            )

    async def kill(self, how=signal.SIGKILL):
        if self.process.returncode is None:
            self.process.send_signal(how)
        return await self.process.wait()


@pytest.fixture
async def scene(kafka, topic_prefix, tables, tmp_path):
    await ensure_topics(kafka, topic_prefix)
    projector = Projector(kafka, topic_prefix, tables, tmp_path)
    async with LogReader(kafka, topic_prefix) as reader:
        bed = Bed(tables, await asyncpg.connect(tables), reader)
        async with LogWriter(kafka, topic_prefix, linger_ms=5) as writer:
            yield bed, writer, projector
        if projector.process is not None:
            await projector.kill()
        await bed.close()


async def survive(scene, kills, chance):
    """Write without a pause, some of it twice, and kill `kills` times; seconds until rows moved again."""
    bed, writer, projector = scene
    written = 0
    stop = asyncio.Event()

    async def write():
        nonlocal written
        while not stop.is_set():
            events = [e for n in range(AT_ONCE) for e in history(f"n{written + n}")]
            await writer.append("decisions", events)
            if chance.random() < 0.2:
                await writer.append("decisions", events)  # as after a lost acknowledgement
            written += AT_ONCE
            await asyncio.sleep(0.05)

    async def projected():
        return await bed.connection.fetchval("SELECT coalesce(sum(version), 0) FROM deliberation")

    async def moved(before):
        return await projected() > before

    writing = asyncio.create_task(write())
    back = []
    await projector.start()
    for _ in range(kills):
        before = await projected()
        await until(lambda before=before: moved(before), "it projects")
        await asyncio.sleep(chance.uniform(0, 0.3))  # no condition to wait for: any moment will do
        await projector.kill()
        before = await projected()
        began = time.monotonic()
        await projector.start()
        await until(lambda before=before: moved(before), "it projects again")
        back.append(time.monotonic() - began)
    stop.set()
    await writing

    async def complete():
        return await projected() == 6 * written

    await until(complete, "all is projected")
    assert await bed.parked() == []
    assert await bed.rows("reputation", "voter, rulings") == [(f"v{n}", written) for n in range(3)]
    assert await bed.differences() == []
    return back


async def test_three_kills_lose_nothing_and_double_nothing(scene):
    back = await survive(scene, 3, random.Random(3))  # noqa: S311 # the same moments again
    assert max(back) < BACK_WITHIN * PATIENCE


@pytest.mark.chaos
@pytest.mark.timeout(1200)
async def test_fifty_kills_lose_nothing_and_double_nothing(scene):
    back = await survive(scene, 50, random.Random(50))  # noqa: S311 # the same moments again
    assert sorted(back)[25] < BACK_WITHIN
    assert max(back) < BACK_WITHIN * PATIENCE


async def test_a_projector_that_is_asked_to_stop_stops_in_order(scene):
    bed, writer, projector = scene
    await projector.start()
    await writer.append("decisions", history("a"))

    async def projected():
        return await bed.versions() == {"consensus/a": 6}

    await until(projected, "it projects")
    async with asyncio.timeout(10):
        assert await projector.kill(signal.SIGTERM) == 0
    assert await bed.differences() == []
