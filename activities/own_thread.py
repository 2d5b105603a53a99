"""Runs a trainer in a thread that may be left behind: whoever never returns holds up nobody else."""

import asyncio
import contextvars
from collections.abc import Callable
from threading import Thread  # noqa: TID251 # an activity's: a pool's threads are few, and are waited for at the end
from typing import Any, TypeVar

from domain.refusal import Refusal

T = TypeVar("T")

MOST = 16
"""Threads left behind that still run, above which nothing more is begun: each may hold rows and a core."""


class OwnThreads:
    """Of one process; `left` is how many that nobody waits for have not ended."""

    def __init__(self) -> None:
        self.left = 0

    async def run(self, work: Callable[..., T], *given: Any) -> T:
        """What `work` returns. Cancelled or timed out, it is left behind, and ends with the process at last.

        Raises:
            Refusal: too many that were left behind still run.
        """
        if self.left >= MOST:
            raise Refusal("trainer", f"{self.left} trainings never ended here; start the node again")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        ended = False

        def settle(result: T | None, error: BaseException | None) -> None:
            nonlocal ended
            ended = True
            if done.cancelled():
                self.left -= 1
            elif error is not None:
                done.set_exception(error)
            else:
                done.set_result(result)  # type: ignore[arg-type] # of `work`, which did not fail

        def body() -> None:
            try:
                told: tuple[T | None, BaseException | None] = (work(*given), None)
            except BaseException as error:  # noqa: BLE001 # it is raised again where it is awaited
                told = (None, error)
            try:
                loop.call_soon_threadsafe(settle, *told)
            except RuntimeError:  # the loop is closed: nobody is there to hear of it
                return

        Thread(target=contextvars.copy_context().run, args=(body,), daemon=True).start()
        try:
            return await done
        except asyncio.CancelledError:
            if not ended:
                self.left += 1
            raise
