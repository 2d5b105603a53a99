"""What waits in an outbox is passed on to the log, the most urgent first, as long as it takes."""

import asyncio
import time

from eventlog.topics import regional
from eventlog.writer import LogWriter
from workers.accepting import Accepting
from workers.away import Away, why
from workers.outbox import Outbox
from workers.outbox_file import OutboxFault

_AT_ONCE = 1_000  # events in one append: a more urgent one waits for these at most
_REACHED_WITHIN = 10.0  # seconds; then Kafka counts as away, and is tried again


class Draining:
    """Sends until it is cancelled.

    An event is struck off the outbox after the log acknowledged it. Killed in between, it is sent again, the
    same to the byte, and readers drop the second by its dot. While the outbox cannot be
    written, on a full disk say, nothing is sent again: what the log has is remembered, and struck off first.
    """

    def __init__(self, kafka: str, prefix: str, region: str, outbox: Outbox, accepting: Accepting) -> None:
        self._kafka, self._prefix = kafka, prefix
        self._topic = regional("context", region)
        self._outbox, self._accepting = outbox, accepting
        self._away = Away()
        self._acknowledged: list[int] = []
        self._more, self._moved = asyncio.Event(), asyncio.Event()
        self.problem: str | None = None
        """Why nothing is passed on at the moment, if so."""

    def more(self) -> None:
        """There is something new to send."""
        self._more.set()

    async def drained(self, within: float) -> int:
        """Wait until nothing is left, or `within` seconds have passed without progress; how much is left."""
        until, left = time.monotonic() + within, self._outbox.waiting
        while self._outbox.waiting:
            self._moved.clear()
            if self._outbox.waiting < left:
                until, left = time.monotonic() + within, self._outbox.waiting
            try:
                async with asyncio.timeout(until - time.monotonic()):
                    await self._moved.wait()
            except TimeoutError:
                break
        return self._outbox.waiting

    async def run(self) -> None:
        while True:
            try:
                async with LogWriter(
                    self._kafka, self._prefix, deadline=_REACHED_WITHIN, alone=True
                ) as writer:
                    await self._send_all(writer)
            except Exception as error:  # noqa: BLE001 # also a fault of ours must not end it without a word
                self.problem = why(error)
                server = "outbox" if isinstance(error, OutboxFault) else "kafka"
                self._away.left(server, self.problem)
                await self._away.wait(server)

    async def _send_all(self, writer: LogWriter) -> None:
        await self._strike_off()
        while True:
            self._more.clear()
            waiting = await asyncio.to_thread(self._outbox.unsent, _AT_ONCE)
            if not waiting:
                await self._more.wait()
                continue
            await writer.append_encoded(self._topic, [(one.at_ms, one.stream, one.event) for one in waiting])
            self._acknowledged = [one.seq for one in waiting]
            self._away.back("kafka")
            await self._strike_off()

    async def _strike_off(self) -> None:
        if not self._acknowledged:
            return
        await self._accepting.sent(self._acknowledged)
        self._acknowledged = []
        self._away.back("outbox")
        self.problem = None
        self._moved.set()
