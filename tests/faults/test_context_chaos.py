"""Shared context under kill -9 of nodes, replicators, projector and broker, cut links and wrong clocks.

A real broker of the tests' own, which is killed, too; Postgres, Temporal and every process are real.
FOLKMOOT_CHAOS_SEED begins elsewhere than at 0.
"""

import asyncio
import os
import time
from collections import Counter
from random import Random

import pytest

from eventlog.topic_setup import ensure_topics
from tests.faults.context_chaos import Chaos
from tests.faults.context_history import violations
from tests.faults.context_processes import Processes
from tests.faults.forking import Forks

SECONDS = 2.5
FIRST = int(os.environ.get("FOLKMOOT_CHAOS_SEED") or 0)
SEEDS = [
    FIRST,
    *(pytest.param(FIRST + n, marks=pytest.mark.chaos) for n in range(1, 101)),
]


@pytest.fixture(scope="module")
async def forks():
    async with Forks() as forks:
        yield forks


@pytest.fixture
async def servers(broker, tables, temporal, topic_prefix):
    async with asyncio.timeout(60):
        while not broker.ready:  # noqa: ASYNC110 # the run before may have killed it
            await asyncio.sleep(0.02)
    return {
        "FOLKMOOT_KAFKA": broker.part.address,
        "FOLKMOOT_TOPIC_PREFIX": topic_prefix,
        "FOLKMOOT_DATABASE_URL": tables,
        "TEMPORAL_ADDRESS": temporal,
    }


@pytest.fixture
async def processes(servers, forks, seed):
    chance = Random(seed)  # noqa: S311 # chance, not secrecy
    regions = ("eu", "us", "asia")[: chance.choice((2, 3))]
    await ensure_topics(servers["FOLKMOOT_KAFKA"], servers["FOLKMOOT_TOPIC_PREFIX"], regions=regions)
    made = Processes(forks, servers, regions, chance)
    try:
        yield made
    finally:
        await made.close()


@pytest.mark.parametrize("seed", SEEDS)
async def test_whatever_dies_no_answered_write_is_lost_and_all_regions_become_equal(
    processes, broker, seed, record_property
):
    began = time.monotonic()
    chaos = Chaos(processes, broker, seed, broker_dies=seed % 5 == 0)
    history = await chaos.run(SECONDS)
    found = violations(history)
    assert found == [], f"{found}\n{dict(chaos.happened)}\n{processes.said()}"
    outcomes = Counter(f"{call.kind} {call.outcome}" for call in history.calls)
    assert outcomes["put ok"] > 20
    again = sum(len(region.log) - len({one.event for one in region.log}) for region in history.regions)
    told = {"cases": len(history.cases), "records again": again, "s": round(time.monotonic() - began, 1)}
    record_property(f"seed {seed}", {**outcomes, **chaos.happened, **told})
