"""A sealer that another overtakes while it takes stock must not see a split view in that."""

import asyncio
import contextlib

from projections import merkle


async def test_a_sealer_overtaken_while_it_takes_stock_goes_on_sealing(bed, monkeypatch):
    partition, take_stock, overtaken = await bed.write(10), merkle.position, asyncio.Event()
    first = iter([True])

    async def slowly(connection, topic, number):
        at = await take_stock(connection, topic, number)
        if (topic, number) == ("decisions", partition) and next(first, False):
            await bed.write(5)
            await bed.sealed_up_to(15, partition)
            overtaken.set()
        return at

    async with contextlib.AsyncExitStack() as rival:
        await rival.enter_async_context(bed.sealing())
        await bed.sealed_up_to(10, partition)
        monkeypatch.setattr(merkle, "position", slowly)
        async with bed.sealing() as sealer:
            await overtaken.wait()
            await rival.aclose()
            await bed.write(5)
            await bed.sealed_up_to(20, partition)
            assert not sealer.stopped
