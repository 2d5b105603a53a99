"""Several things at once, all or none, from which a cancellation always comes out as one."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def together(*work: Coroutine[Any, Any, None]) -> None:
    """Return when all of `work` is done; when one fails or the caller is cancelled, stop the rest first.

    Unlike `asyncio.TaskGroup`, as Python 3.11 has it: that swallows a cancellation which arrives while it is
    stopping its tasks because one of them failed, and it leaves the caller marked as cancelled after a
    failure, so that an `asyncio.timeout` around it does not end as one. A server that dies does both at once.

    Raises:
        Exception: what the first of `work` raised, itself and not in a group.
    """
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        failed = [task for task in tasks if task.done() and not task.cancelled() and task.exception()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in failed:
        task.result()
