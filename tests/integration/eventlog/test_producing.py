"""A producer's start, given up in the middle: nothing stays open, and the next caller needs no new one."""

import asyncio
import gc
from contextlib import asynccontextmanager

import pytest

from eventlog.codec import decode
from eventlog.writer import LogWriter
from tests.unit.eventlog.examples import ballot


class Gate:
    """A way to the broker that holds back every answer of a connection but the first, until it is opened."""

    def __init__(self, broker):
        host, _, port = broker.rpartition(":")
        self._broker = host, int(port)
        self._serving = set()
        self._answered = False
        self.asked, self.open = asyncio.Event(), asyncio.Event()

    async def serve(self, reader, writer):
        self._serving.add(asyncio.current_task())
        broker_reader, broker_writer = await asyncio.open_connection(*self._broker)
        ways = {
            asyncio.create_task(self._questions(reader, broker_writer)),
            asyncio.create_task(self._answers(broker_reader, writer)),
        }
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for end in (writer, broker_writer):
            end.close()
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, writer.wait_closed(), broker_writer.wait_closed(), return_exceptions=True)

    async def _questions(self, reader, writer):
        while data := await reader.read(65536):
            writer.write(data)
            if self._answered:
                self.asked.set()

    async def _answers(self, reader, writer):
        while data := await reader.read(65536):
            writer.write(data)
            self._answered = True  # the first says which versions the broker speaks
            await self.open.wait()

    async def left(self):
        """When every connection has ended."""
        if self._serving:
            await asyncio.wait(self._serving)


@asynccontextmanager
async def gate(broker):
    """A gate, and its address."""
    made = Gate(broker)
    async with await asyncio.start_server(made.serve, "127.0.0.1", 0) as server:
        yield made, f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await made.left()


async def test_an_append_given_up_while_the_producer_starts_leaves_no_connection_open(kafka, prefix, whole):
    async with gate(kafka) as (way, address):
        writer = LogWriter(address, prefix)
        first = asyncio.create_task(writer.append("decisions", [ballot("consensus/first")]))
        await asyncio.wait_for(way.asked.wait(), 10)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        gc.collect()  # an open connection that nobody holds would warn here, and a warning fails the test
        way.open.set()
        await writer.append("decisions", [ballot("consensus/second")])
        await writer.__aexit__(None, None, None)
    gc.collect()
    assert [decode(record.value).stream for record in await whole()] == ["consensus/second"]
