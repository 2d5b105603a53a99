"""Processes of a fleet that die hard in the middle of a cycle: it ends, and with the undisturbed model."""

import asyncio
import time

from domain.learning.events import RoundAggregated, RoundOpened

TEN = {"share": 1, "minimum": 10, "size": 10}


async def in_round(handle, number):
    async with asyncio.timeout(60):
        while (await handle.query("state"))["round"] < number:
            pass


async def test_a_cycle_whose_processes_are_killed_ends_with_the_same_model_and_counts_nothing_twice(
    fleet, starting, record_property
):
    ten = await fleet(working=False)
    more = {"rounds": 12, "cohort": TEN}
    async with starting(ten, 0), starting(ten, 1), starting(ten, "orchestrator"):
        await ten.run(await ten.request(rounds=1, cohort=TEN))
        begun = time.perf_counter()
        whole = await ten.run(await ten.request(**more, model="undisturbed"))
        took = (time.perf_counter() - begun) / 12
    record_property("seconds a round, two host processes, 10 clients, 650 parameters", f"{took:.3f}")
    request = await ten.request(**more)
    async with starting(ten, 1):
        async with starting(ten, "orchestrator"), starting(ten, 0) as host:
            handle = await ten.start(request)
            await in_round(handle, 3)
            host.kill()
            await host.wait()
            async with starting(ten, 0):
                await in_round(handle, 6)
        async with starting(ten, 0), starting(ten, "orchestrator"):
            killed = await asyncio.wait_for(handle.result(), 90)
    assert killed["digest"] == whole["digest"]
    assert killed["insights_aggregated"] == whole["insights_aggregated"] == 120
    events = await ten.stream(request["id"])
    for kind in (RoundOpened, RoundAggregated):
        assert [e.data.round for e in events if isinstance(e.data, kind)] == [*range(1, 13)]
