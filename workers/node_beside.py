"""Writing by a node, whoever has it open: this process, or another one of this machine that has a door."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from domain.context.commands import PutContext
from domain.refusal import Refusal
from workers.accepting import Outcome
from workers.context_client import ContextClient
from workers.context_node import file_of, known_node
from workers.context_putting import Writing
from workers.node_messages import Answer, AskMarks, Drain, Put, answer_in, received, send
from workers.outbox_changes import Mark, Marks
from workers.outbox_file import OutboxTaken
from workers.settings import Settings

_LOOK_EVERY = 0.25  # seconds that a lock is waited for until the door is looked for again
_ANSWER_WITHIN = 30.0  # seconds, and for a drain those that it may take; a busy machine delays a put by some


class NodeGone(ConnectionError):
    """The node's process ended or fell silent in the middle: whether it stored what was asked is unknown."""


@asynccontextmanager
async def writing(
    settings: Settings, region: str, stated: str | None, within: float
) -> AsyncIterator[Writing]:
    """The node by its door where a process has it open, else its outbox opened here.

    Raises:
        OutboxTaken: a process without a door has it still after `within` seconds.
        Refusal, OSError: as `ContextClient`.
    """
    until = time.monotonic() + within
    while True:
        node = known_node(settings.data, region, stated)
        through = None if node is None else await _through(file_of(settings.data, region, node), node)
        if through is not None:
            try:
                yield through
            finally:
                through.close()
            return
        client = ContextClient(settings, region, stated, within=_LOOK_EVERY)
        try:
            await client.__aenter__()
        except OutboxTaken:
            if time.monotonic() >= until:
                raise
            continue
        break
    try:
        yield client
    finally:
        await client.__aexit__(None, None, None)


class NodeBeside(Writing):
    """A node that another process of this machine has open; for one caller at a time."""

    def __init__(self, node: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.node, self._reader, self._writer = node, reader, writer
        self._problem: str | None = None

    async def put_many(
        self, commands: Sequence[PutContext], *, fresh: bool = False, marks: Marks | None = None
    ) -> list[Outcome]:
        answer = await self._ask(Put(list(commands), fresh, marks))
        return [one.accepted or Refusal(one.field, one.problem) for one in answer.outcomes]

    async def marks(self) -> list[Mark]:
        return (await self._ask(AskMarks())).marks

    async def drained(self, within: float) -> int:
        while True:
            answer = await self._ask(Drain(within), _ANSWER_WITHIN + within)
            self._problem = answer.waiting_for
            if not answer.left or not answer.moved:
                return answer.left

    @property
    def waiting_for(self) -> str | None:
        return self._problem

    def close(self) -> None:
        self._writer.close()

    async def _ask(self, what: Any, within: float | None = None) -> Answer:
        within = _ANSWER_WITHIN if within is None else within
        try:
            async with asyncio.timeout(within):
                await send(self._writer, what)
                answer = answer_in(await received(self._reader))
        except TimeoutError:  # an OSError, too
            raise NodeGone(
                f"the process of node {self.node} has not answered for {within:g} s, it hangs or was stopped:"
                " end it or let it go on, read what is there, and ask again"
            ) from None
        except (OSError, EOFError):
            raise NodeGone(
                f"the process of node {self.node} ended before it answered: read what is there, and ask again"
            ) from None
        if answer.fault is not None:
            raise OSError(answer.fault)
        return answer


async def _through(outbox: Path, node: str) -> NodeBeside | None:
    try:
        folder = outbox.with_suffix(".door").read_text("utf-8")
        return NodeBeside(node, *await asyncio.open_unix_connection(Path(folder) / "door"))
    except OSError:  # nobody ever opened one, or whoever did was killed
        return None
