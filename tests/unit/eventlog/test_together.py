"""Several things at once: all are done, or none goes on, and who is cancelled is always told."""

import asyncio

import pytest

from eventlog.together import together


class Work:
    """Goes on until it is stopped; a `stubborn` one answers to that with an error, or takes its time."""

    def __init__(self, stubborn=None):
        self.begun, self.stopped, self.may_end = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._stubborn = stubborn

    async def go_on(self):
        self.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.stopped.set()
            if self._stubborn == "breaks":
                raise OSError("connection is closed") from None
            if self._stubborn == "slow":
                await self.may_end.wait()
            raise


async def fail():
    raise ValueError("first")


async def nothing():
    pass


async def test_all_are_done_when_it_returns():
    done = []

    async def work(name):
        await asyncio.sleep(0)
        done.append(name)

    await together(work(1), work(2), nothing())
    assert done == [1, 2]


@pytest.mark.parametrize("stubborn", [None, "breaks"])
async def test_a_failure_stops_the_others_and_is_raised_itself(stubborn):
    other = Work(stubborn)
    with pytest.raises(ValueError, match="first"):
        await together(other.go_on(), fail())
    assert other.stopped.is_set()


@pytest.mark.parametrize("stubborn", [None, "breaks"])
async def test_a_cancelled_caller_is_told_so_even_when_a_part_breaks_of_it(stubborn):
    work = Work(stubborn)
    running = asyncio.create_task(together(work.go_on(), nothing()))
    await work.begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, 5)
    assert work.stopped.is_set()


async def test_a_caller_cancelled_while_a_failure_stops_the_others_is_told_so():
    slow = Work("slow")
    running = asyncio.create_task(together(slow.go_on(), fail()))
    await slow.stopped.wait()
    running.cancel()
    slow.may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, 5)


async def test_a_timeout_around_it_still_is_one_after_a_failure():
    async def fail_then_wait():
        with pytest.raises(ValueError, match="first"):
            await together(Work().go_on(), fail())
        await asyncio.Event().wait()

    async def within_a_moment():
        async with asyncio.timeout(0.01):
            await fail_then_wait()

    with pytest.raises(TimeoutError):
        await within_a_moment()
