"""A link between regions cut and healed, and the replicator killed hard: nothing is lost, all are equal."""

import asyncio
import contextlib
import os
import random
import signal
import sys
from pathlib import Path

import pytest

from domain.context.layers import NAMES
from domain.context.policy import policy_from
from eventlog.topic_setup import ensure_topics
from tests.integration.replication.bed import SOON, Regions, replicating, until, write
from workers.embedded import ports
from workers.embedded.kafka import Kafka
from workers.embedded.supervised import Supervised
from workers.replicating import Link
from workers.replicator_metrics import ReplicatorMetrics

HERE, THERE = ("asia", "eu"), ("us",)
WRITES = 300


class Elsewhere:
    """A second cluster, that comes and goes."""

    def __init__(self, folder, guard):
        port = ports.free()
        self._folder, self._guard, self._running = folder, guard, None
        self._part = Kafka(folder / "kafka", port, ports.free({port}), os.environ, lambda *_: None)
        self.address = self._part.address

    def up(self):
        log = self._folder / "kafka.log"
        self._running = Supervised(self._part, log, self._guard, os.environ, lambda *_: None)
        self._running.start()
        self._running.wait_until_ready()

    def down(self):
        if self._running is not None:
            self._running.stop()
        self._running = None

    @contextlib.contextmanager
    def frozen(self):
        """It takes connections and answers nothing."""
        os.kill(self._running.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._running.pid, signal.SIGCONT)


@pytest.fixture
def elsewhere(tmp_path, guard):
    cluster = Elsewhere(tmp_path, guard)
    yield cluster
    cluster.down()


def some(chance, region, numbers):
    """Concurrent writes of a region's node to three keys in all layers; it saw its own only."""
    counted, found = {}, []
    for n in numbers:
        layer, key = chance.choice(NAMES), f"k{n % 3}"
        counter = counted[layer, key] = counted.get((layer, key), 0) + 1
        dot, seen = f"{region}-1:{counter}", f"{region}-1:{counter - 1}" if counter > 1 else ""
        found.append(write(dot, {region: n}, layer=layer, key=key, seen=seen, wall=1000 + n))
    return found


async def test_a_link_that_is_cut_heals_by_itself_and_the_other_links_go_on(kafka, topic_prefix, elsewhere):
    """Three regions, one of them in a cluster that is not there at first, comes, hangs, and goes on."""
    await ensure_topics(kafka, topic_prefix, regions=HERE)
    chance, numbers = random.Random(1), ReplicatorMetrics()  # noqa: S311 # which layers, no secret
    writes = {region: some(chance, region, range(30)) for region in (*HERE, *THERE)}
    first = {region: writes[region][:10] for region in writes}
    async with Regions(kafka, topic_prefix, HERE) as here:
        distant = Regions(elsewhere.address, topic_prefix, THERE)
        far = distant.place("us")
        links = [
            *here.links(),
            *(Link(here.place(one), far) for one in HERE),
            *(Link(far, here.place(one)) for one in HERE),
        ]
        async with replicating(links, metrics=numbers):
            await here.write(*first["eu"], *first["asia"])
            await here.has("asia", *first["eu"])
            await here.has("eu", *first["asia"])
            await asyncio.to_thread(elsewhere.up)
            await ensure_topics(elsewhere.address, topic_prefix, regions=THERE)
            async with distant:
                await distant.has("us", *first["eu"], *first["asia"])
                await distant.write(*first["us"])
                await here.has("eu", *first["us"])
                with elsewhere.frozen():
                    await here.write(*writes["eu"][10:20])
                    await here.has("asia", *writes["eu"][10:20])

                    async def behind():
                        return numbers.lag(("eu", "us", "immediate")) > 3

                    await until(behind)
                await here.write(*writes["eu"][20:], *writes["asia"][10:])
                await distant.write(*writes["us"][10:])
                everything = [one for found in writes.values() for one in found]
                for regions, region in ((here, "eu"), (here, "asia"), (distant, "us")):
                    await regions.has(region, *everything)
                states = {await here.state("eu"), await here.state("asia"), await distant.state("us")}
                assert len(states) == 1
                assert len(everything) == 90


class Process:
    """`moot worker replicator` as a process of its own."""

    def __init__(self, kafka, prefix, folder):
        (folder / "policy.toml").write_text(
            "".join(f"[layers.{name}]\nsync_seconds = 0.1\n" for name in NAMES if name != "immediate")
        )
        self._folder, self._log = folder, folder / "replicator.log"
        self._environ = {k: v for k, v in os.environ.items() if not k.startswith("FOLKMOOT_")} | {
            "FOLKMOOT_KAFKA": kafka,
            "FOLKMOOT_TOPIC_PREFIX": prefix,
            "FOLKMOOT_DATA": str(folder),
            "FOLKMOOT_CONTEXT_POLICY": str(folder / "policy.toml"),
            "PYTHONPATH": str(Path.cwd()),
        }
        self._running = None

    async def start(self):
        with self._log.open("ab") as log:
            self._running = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "cli.main", "worker", "replicator"),
                env=self._environ,
                cwd=self._folder,
                stdout=log,
                stderr=log,
            )

    async def end(self, number):
        if self._running is not None and self._running.returncode is None:
            self._running.send_signal(number)
            await self._running.wait()
        return self._running.returncode

    def said(self):
        return self._log.read_text()


async def test_a_replicator_killed_hard_again_and_again_loses_no_write(kafka, topic_prefix, tmp_path):
    assert {name: SOON.layers.named(name).sync_seconds for name in NAMES if name != "immediate"} == (
        dict.fromkeys(NAMES[1:], 0.1)
    )
    assert policy_from({}).layers.immediate.sync_seconds == 0
    chance = random.Random(2)  # noqa: S311 # moments, no secret
    names = (*HERE, *THERE)
    await ensure_topics(kafka, topic_prefix, regions=names)
    writes = {region: some(chance, region, range(WRITES)) for region in names}
    process = Process(kafka, topic_prefix, tmp_path)
    async with Regions(kafka, topic_prefix, names) as regions:
        try:

            async def written(region):
                for start in range(0, WRITES, 5):
                    await regions.write(*writes[region][start : start + 5])
                    await asyncio.sleep(chance.uniform(0, 0.2))

            writing = asyncio.gather(*map(written, names))
            kills, copies = 0, set()
            while not writing.done():
                await process.start()
                await asyncio.wait({writing}, timeout=chance.uniform(1.2, 2.5))
                kills += await process.end(signal.SIGKILL) == -signal.SIGKILL
                copies.add(len(await regions.dots("us")))
            await writing
            assert kills >= 2, process.said()
            assert len(copies) >= 2, "each was killed before it did anything"
            await process.start()
            everything = [one for found in writes.values() for one in found]
            for region in names:
                await regions.has(region, *everything)
            assert len({await regions.state(region) for region in names}) == 1
            assert await process.end(signal.SIGTERM) == 0, process.said()
        finally:
            await process.end(signal.SIGKILL)
