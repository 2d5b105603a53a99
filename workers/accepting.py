"""The one thread that writes an outbox: what is asked for at the same time is stored by one transaction."""

import asyncio
import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from domain.context.state import Entry
from domain.refusal import Refusal
from workers.deciding import Accepted, Deciding, Wanted
from workers.outbox import Outbox
from workers.outbox_changes import Changes, Mark, Marks

_TOGETHER = 2_000  # puts in one transaction, about: nobody waits for much more than his own

Outcome = Accepted | Refusal


@dataclass(slots=True)
class _Ask:
    do: Callable[[Changes], Any]
    weight: int
    answer: "asyncio.Future[Any]"
    result: Any = None


class Accepting:
    """Answers when what was asked for is durable in the outbox, and not before.

    Every method but `start` and `stop` raises `OutboxFault` when nothing could be stored.
    """

    def __init__(self, outbox: Outbox, deciding: Deciding) -> None:
        self._outbox, self._deciding = outbox, deciding
        self._asked: queue.SimpleQueue[_Ask | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def stop(self) -> None:
        """Store what was asked for before, then end the thread."""
        self._closed = True
        self._asked.put(None)
        await asyncio.to_thread(self._thread.join)

    async def put(self, wanted: Sequence[Wanted], marks: Marks | None = None) -> list[Outcome]:
        """Decide each by itself, in their order.

        With `marks`, one for each, the first refusal is the last answer, and the mark of the put before it is
        stored with what was accepted.
        """

        def do(changes: Changes) -> list[Outcome]:
            self._deciding.recall(one.command for one in wanted)
            if marks is None:
                return [self._outcome(one, changes) for one in wanted]
            return self._up_to_a_refusal(wanted, marks, changes)

        outcomes: list[Outcome] = await self._ask(do, len(wanted))
        return outcomes

    async def heard(self, entries: Iterable[Entry]) -> list[Entry]:
        """Take in what the region has of some keys; what the node has of them then."""
        heard = tuple(entries)
        known: list[Entry] = await self._ask(
            lambda changes: [self._deciding.heard(entry, changes) for entry in heard], len(heard)
        )
        return known

    async def sent(self, seqs: Sequence[int]) -> None:
        """These are on the log."""
        await self._ask(lambda changes: changes.sent.extend(seqs), len(seqs))

    def _up_to_a_refusal(self, wanted: Sequence[Wanted], marks: Marks, changes: Changes) -> list[Outcome]:
        outcomes: list[Outcome] = []
        last: Mark | None = None
        for one, mark in zip(wanted, marks.after, strict=True):
            outcomes.append(self._outcome(one, changes))
            if isinstance(outcomes[-1], Refusal):
                break
            last = mark
        if last is not None:
            changes.replaced += marks.replaced
            changes.marks.append(last)
        return outcomes

    def _outcome(self, wanted: Wanted, changes: Changes) -> Outcome:
        try:
            return self._deciding.put(wanted, changes)
        except Refusal as refusal:
            return refusal

    async def _ask(self, do: Callable[[Changes], Any], weight: int) -> Any:
        if self._closed:
            raise RuntimeError("the node is closed")
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._asked.put(_Ask(do, weight, answer))
        return await answer

    def _run(self) -> None:
        while (first := self._asked.get()) is not None:
            together, weight, last = [first], first.weight, False
            while weight < _TOGETHER and not self._asked.empty():
                more = self._asked.get()
                if more is None:
                    last = True
                    break
                together.append(more)
                weight += more.weight
            fault = self._stored(together)
            if self._loop is None:
                raise AssertionError("not started")
            self._loop.call_soon_threadsafe(_answer, together, fault)
            if last:
                return

    def _stored(self, together: Iterable[_Ask]) -> Exception | None:
        """Do what was asked for in one transaction; why nothing of it was done."""
        changes = Changes()
        try:
            for ask in together:
                ask.result = ask.do(changes)
            self._outbox.store(changes)
        except Exception as fault:  # noqa: BLE001 # it goes to everyone who asked
            self._deciding.forget()
            return fault
        return None


def _answer(together: Iterable[_Ask], fault: Exception | None) -> None:
    for ask in together:
        if ask.answer.done():
            continue  # whoever asked has left
        if fault is None:
            ask.answer.set_result(ask.result)
        else:
            ask.answer.set_exception(fault)
