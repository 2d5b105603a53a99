"""Runs a trainer in a thread that may be left behind: whoever never returns holds up nobody else."""

import asyncio
import contextvars
import weakref
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from threading import Thread  # noqa: TID251 # an activity's: a pool's threads are few, and are waited for at the end
from typing import Any, TypeVar

from domain.refusal import Refusal

T = TypeVar("T")
Inbox = SimpleQueue[Callable[[], None] | None]
"""What a thread is to do next; None: end."""

MOST = 16
"""Threads left behind that still run, above which nothing more is begun: each may hold rows and a core."""


class OwnThreads:
    """Of one process; `left` is how many that nobody waits for have not ended.

    A thread that has ended its work takes the next one's: starting one takes as long as training on few rows.
    """

    def __init__(self) -> None:
        self.left = 0
        self._idle: list[Inbox] = []

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
        inbox = self._idle.pop() if self._idle else self._begun()

        def settle(result: T | None, error: BaseException | None) -> None:
            nonlocal ended
            ended = True
            self._idle.append(inbox)
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

        inbox.put(partial(contextvars.copy_context().run, body))
        try:
            return await done
        except asyncio.CancelledError:
            if not ended:
                self.left += 1
            raise

    def _begun(self) -> Inbox:
        inbox: Inbox = SimpleQueue()
        Thread(target=_serve, args=(inbox,), daemon=True).start()
        weakref.finalize(self, inbox.put, None)
        return inbox


def _serve(inbox: Inbox) -> None:
    while (work := inbox.get()) is not None:
        work()
        del work  # it may hold rows, and the next may be long in coming
