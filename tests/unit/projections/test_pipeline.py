"""The pipeline of one partition ends as it was told to, whatever breaks at the same moment."""

import asyncio

import pytest

from projections.pipeline import Pipeline, Stretch


class Silent:
    """A log on which nothing comes, and a handover in which nothing waits."""

    def __init__(self, breaks):
        self._breaks = breaks

    async def batches(self, *_, **__):
        await asyncio.Event().wait()
        yield []

    async def ready(self):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if self._breaks:
                raise OSError("connection is closed") from None
            raise


@pytest.mark.parametrize("breaks", [False, True], ids=["in order", "while its connection breaks"])
async def test_a_pipeline_that_is_stopped_says_so_and_nothing_else(breaks):
    silent = Silent(breaks)
    running = asyncio.create_task(
        Pipeline(silent, Stretch("decisions", 0, 0, None), None, None, silent).run()
    )
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, 5)


async def test_a_pipeline_that_breaks_by_itself_says_how():
    class Broken(Silent):
        async def ready(self):
            raise OSError("connection is closed")

    broken = Broken(breaks=True)
    with pytest.raises(OSError, match="connection is closed"):
        await Pipeline(broken, Stretch("decisions", 0, 0, None), None, None, broken).run()
