"""How the demo waits: for something to be so, and never without an end."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from domain.refusal import Refusal

WAIT_SECONDS = 60.0
T = TypeVar("T")


async def until(what: str, look: Callable[[], Awaitable[T | None]]) -> T:
    """What `look` finds, once it finds something; `what` it is waited for is said where it never does."""
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            while not (found := await look()):  # noqa: ASYNC110 # a table gives no signal
                await asyncio.sleep(0.1)
            return found
    except TimeoutError:
        raise Refusal("demo", f"waited {WAIT_SECONDS:g} s for {what}; see the stack's log folder") from None
