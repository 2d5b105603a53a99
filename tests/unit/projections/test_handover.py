"""Folded batches on their way to the tables."""

import asyncio

import pytest

from projections.batch import Folded
from projections.handover import BULK, Bounds, Handover

AMPLE = Bounds(10, 100, 10, 100, pause=0.0)


def folded(start, end, *streams):
    return Folded(start, end, end - start, touched=dict.fromkeys(streams, object()))


async def test_what_is_given_while_nobody_takes_is_taken_at_once():
    handover = Handover(AMPLE)
    await handover.give(folded(0, 3, "a", "b"))
    await handover.give(folded(3, 5, "b", "c"))
    assert await handover.ready()
    taken = handover.take()
    assert (taken.start, taken.end, taken.events, sorted(taken.touched)) == (0, 5, 5, ["a", "b", "c"])
    with pytest.raises(LookupError):
        handover.take()


@pytest.mark.parametrize(("streams", "events"), [(("a", "b"), 1), (("a",), 9)])
async def test_whoever_gives_waits_when_much_is_waiting(streams, events):
    handover = Handover(Bounds(1, 1, 2, 9, pause=0))
    giving = asyncio.create_task(handover.give(folded(0, events, *streams)))
    assert await handover.ready()
    assert not giving.done()
    handover.take()
    await asyncio.wait_for(giving, 5)


async def test_nothing_is_ready_before_enough_waits_or_the_end_has_come():
    handover = Handover(Bounds(2, 99, 5, 99, pause=None))
    await handover.give(folded(0, 1, "a"))
    waiting = asyncio.create_task(handover.ready())
    await asyncio.sleep(0)
    assert not waiting.done()
    await handover.give(folded(1, 2, "b"))
    assert await asyncio.wait_for(waiting, 5)
    handover.take()
    await handover.give(folded(2, 3, "c"))
    handover.end()
    assert await handover.ready()
    handover.take()
    assert not await handover.ready()


async def test_a_stream_that_waits_can_be_found():
    handover = Handover(AMPLE)
    assert "a" not in handover.streams
    batch = folded(0, 1, "a")
    await handover.give(batch)
    assert handover.streams["a"] is batch.touched["a"]
    assert "b" not in handover.streams


async def test_news_is_ready_at_once_and_bulk_waits_for_company():
    handover = Handover(Bounds(10, 10 * BULK, 10, 99 * BULK, pause=1000.0))
    await handover.give(folded(0, 1, "a"))
    assert await asyncio.wait_for(handover.ready(), 5)
    handover.take()
    await handover.give(folded(1, 1 + BULK, "a"))
    waiting = asyncio.create_task(handover.ready())
    await asyncio.sleep(0)
    assert not waiting.done()
    await handover.give(folded(1 + BULK, 1 + 10 * BULK, "a"))
    assert await asyncio.wait_for(waiting, 5)
