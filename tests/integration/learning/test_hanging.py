"""Hosts that hang, work that is not done in time, and a cycle that is cancelled while nodes train."""

import asyncio
import threading
import time

import pytest
from temporalio.client import WorkflowFailureError

from activities.watch import Watch
from cli import learn_nodes
from domain.learning.events import CycleWithdrawn, UpdatesCollected
from tests.fakes.learning import Rows

LONG = {"epochs": 10_000, "batch": 1, "learning_rate": 0.01}
"""Minutes of training."""


class Hanging(Rows):
    """Rows that are never read to the end while the test runs."""

    def __init__(self, rows, until) -> None:
        super().__init__(rows)
        self.until = until

    def rows(self, name, since, until):
        self.until.wait(60)
        return super().rows(name, since, until)


async def heard_in(fleet, request):
    events = [event.data for event in await fleet.stream(request["id"])]
    return [data for data in events if isinstance(data, UpdatesCollected)]


async def test_a_host_that_hangs_is_dropped_at_the_deadline_and_every_round_goes_on(fleet):
    three = await fleet(clients=3, hosts=3)
    let_go = threading.Event()
    three.rows["c001"] = Hanging(three.rows["c001"].all, let_go)
    request = await three.request(
        rounds=2, cohort={"share": 1, "minimum": 2, "size": 3}, local={"seconds": 2, "learning_rate": 0.5}
    )
    try:
        began = time.monotonic()
        found = await three.run(request)
        took = time.monotonic() - began
    finally:
        let_go.set()
    assert (found["participants"], len(found["evolution_metrics"])) == (2, 2)
    for heard in await heard_in(three, request):
        assert [(loss.client, loss.why) for loss in heard.lost] == [("c001", "late")]
    assert 4 < took < 25


@pytest.mark.parametrize("partial", [True, False])
async def test_work_that_is_not_done_at_the_deadline_is_kept_where_the_cycle_says_so(fleet, partial):
    two = await fleet(clients=2, hosts=2)
    request = await two.request(
        rounds=1,
        cohort={"share": 1, "minimum": 2, "attempts": 1},
        local={**LONG, "seconds": 2, "partial": partial},
        strategy={"name": "fedprox", "settings": {"mu": 0.1}},
    )
    if partial:
        assert (await two.run(request))["participants"] == 2
        (heard,) = await heard_in(two, request)
        assert heard.lost == ()
        assert all(0 < report.steps < report.planned for report in heard.reports)
    else:
        with pytest.raises(WorkflowFailureError) as failed:
            await two.run(request)
        assert "at last since 0 of 2 reports came in" in failed.value.cause.message
        (heard,) = await heard_in(two, request)
        assert {loss.why for loss in heard.lost} == {"late"}


async def test_progress_is_seen_and_cancelling_the_cycle_ends_the_training_on_its_nodes(fleet, monkeypatch):
    ended, stop = [], Watch.stop

    def stopped(watch):
        ended.append(time.monotonic())
        stop(watch)

    monkeypatch.setattr(Watch, "stop", stopped)
    two = await fleet(clients=2, hosts=2)
    request = await two.request(rounds=1, cohort={"share": 1, "minimum": 2}, local={**LONG, "seconds": 600})
    handle = await two.start(request)
    async with asyncio.timeout(40):
        while len(beats := await learn_nodes.training(two.client, handle)) < 2:  # noqa: ASYNC110 # the server gives no signal
            await asyncio.sleep(0.1)
    assert {one.client for one in beats} == {"c000", "c001"}
    assert all(0 < one.done < one.planned and one.clients == 1 for one in beats)
    began = time.monotonic()
    await handle.cancel()
    with pytest.raises(WorkflowFailureError):
        await asyncio.wait_for(handle.result(), 20)
    async with asyncio.timeout(20):
        while len(ended) < 2:  # noqa: ASYNC110 # as above
            await asyncio.sleep(0.05)
    assert max(ended) - began < 10
    assert isinstance((await two.stream(request["id"]))[-1].data, CycleWithdrawn)
