"""Regions in two clusters whose topics MirrorMaker 2 copies: loops and duplicates do nothing."""

import asyncio
import os
import random

import pytest

from eventlog.topic_setup import ensure_topics
from tests.faults.mirror_maker import MirrorMaker
from tests.faults.test_replicator import Elsewhere, some
from tests.integration.replication.bed import Regions, replicating, until
from workers.embedded.supervised import Supervised
from workers.replicating import Link
from workers.replicator_places import mirrored

STARTS_WITHIN = 90.0  # seconds for two Connect workers beside other tests


@pytest.fixture
def elsewhere(tmp_path, guard):
    cluster = Elsewhere(tmp_path, guard)
    cluster.up()
    yield cluster
    cluster.down()


@pytest.fixture
def mirror_maker(kafka, elsewhere, topic_prefix, tmp_path, guard):
    """`eu` is the cluster of all tests, `us` one of this test's own."""
    # Mirrored with all that lies in it: so are the copies that a replicator put there.
    part = MirrorMaker(tmp_path, kafka, elsewhere.address, f"{topic_prefix}context\\..*")
    running = Supervised(part, tmp_path / "mirror-maker.log", guard, os.environ, lambda *_: None)
    running.start()
    yield running
    running.stop()


@pytest.mark.timeout(240)
async def test_regions_that_mirror_maker_connects_are_equal(kafka, elsewhere, mirror_maker, topic_prefix):
    await asyncio.gather(
        ensure_topics(kafka, topic_prefix, regions=["eu"]),
        ensure_topics(elsewhere.address, topic_prefix, regions=["us"]),
    )
    chance = random.Random(2)  # noqa: S311 # which layers, no secret
    writes = {region: some(chance, region, range(40)) for region in ("eu", "us")}
    here, there = Regions(kafka, topic_prefix, ["eu"]), Regions(elsewhere.address, topic_prefix, ["us"])
    async with here as eu, there as us:
        links = [
            Link(mirrored("eu", elsewhere.address, topic_prefix), us.place("us")),
            Link(mirrored("us", kafka, topic_prefix), eu.place("eu")),
        ]
        await asyncio.gather(eu.write(*writes["eu"][:20]), us.write(*writes["us"][:20]))
        async with replicating(links):  # waits for the topics that MirrorMaker makes

            async def begun():
                return len(await us.dots("us")) > 20 and len(await eu.dots("eu")) > 20

            await until(begun, STARTS_WITHIN)
            await asyncio.gather(eu.write(*writes["eu"][20:]), us.write(*writes["us"][20:]))
            await asyncio.gather(eu.has("eu", *writes["us"]), us.has("us", *writes["eu"]))
        # The direct way besides: everything arrives twice, and nothing follows from it.
        async with replicating([Link(eu.place("eu"), us.place("us"))]):

            async def twice():
                dots = await us.dots("us")
                return all(dots[one.layer, one.key, one.node, one.counter] == 2 for one in writes["eu"])

            await until(twice)
        assert await eu.state("eu") == await us.state("us")
        arrived = await eu.dots("eu")
        assert len(arrived) == 80
        assert set(arrived.values()) == {1}  # what came from here did not come round again
