"""Threads that a trainer may keep for ever: used again where it gives them back, and only there."""

import asyncio
import gc
import threading

import pytest

from activities.own_thread import OwnThreads


async def test_work_after_work_is_done_by_one_thread_each_in_its_own_context():
    threads = OwnThreads()
    first = await threads.run(threading.current_thread)
    with pytest.raises(ZeroDivisionError):
        await threads.run(lambda: 1 / 0)
    assert await threads.run(threading.current_thread) is first


async def test_a_thread_that_was_left_behind_is_used_again_only_when_it_has_ended_its_work():
    threads, over = OwnThreads(), threading.Event()
    stuck = asyncio.create_task(threads.run(over.wait))
    await asyncio.sleep(0)
    stuck.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stuck
    assert threads.left == 1
    other = await threads.run(threading.current_thread)
    over.set()
    async with asyncio.timeout(5):
        while threads.left:  # noqa: ASYNC110 # a count gives no signal
            await asyncio.sleep(0.001)
    both = await asyncio.gather(*(threads.run(threading.current_thread) for _ in range(2)))
    assert other in both
    assert len(set(both)) == 2


async def test_idle_threads_end_with_the_process_that_had_them():
    threads = OwnThreads()
    thread = await threads.run(threading.current_thread)
    del threads
    gc.collect()
    await asyncio.to_thread(thread.join, 5)
    assert not thread.is_alive()
