"""A node's door for other processes of its user on its machine: a Unix socket, found by a file at its outbox.

Who may open the socket's folder (mode 0700) may write as the node, as who may open its outbox can.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from domain.refusal import Refusal
from workers.accepting import Outcome
from workers.away import why
from workers.context_client import ContextClient
from workers.node_messages import Answer, AskMarks, Drain, Put, Told, asked_in, received, send


@asynccontextmanager
async def door(client: ContextClient, outbox: Path) -> AsyncIterator[None]:
    """Answer who comes, as long as the block lasts; `outbox` is the node's file."""
    there = outbox.with_suffix(".door")
    _clear(there)  # what a killed process left
    # Beside the outbox its path could be longer than the 107 bytes that a socket's may have.
    folder = Path(tempfile.mkdtemp(prefix="moot-node-"))
    tasks: set[asyncio.Task[None]] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        with suppress(OSError, EOFError, asyncio.CancelledError):
            await _serve(client, reader, writer)
        writer.close()

    server = await asyncio.start_unix_server(answer, folder / "door")
    draft = there.with_suffix(".door.new")
    try:
        draft.write_text(str(folder), "utf-8")
        draft.replace(there)
        yield
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        _clear(there)
        shutil.rmtree(folder, ignore_errors=True)  # on a full disk nothing names it, and it is tried again


async def _serve(client: ContextClient, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        asked = await received(reader)
        try:
            answer = await _done(client, asked_in(asked))
        except (Refusal, OSError, ValueError) as fault:
            answer = Answer(fault=why(fault))
        await send(writer, answer)


async def _done(client: ContextClient, asked: Put | Drain | AskMarks) -> Answer:
    match asked:
        case Put(commands, fresh, marks):
            return Answer([_told(one) for one in await client.put_many(commands, fresh=fresh, marks=marks)])
        case Drain(within):
            before = client.waiting
            with suppress(TimeoutError):  # who asks would else not know it from a process that hangs
                async with asyncio.timeout(within):
                    await client.drained(within)
            left = client.waiting
            return Answer(left=left, moved=left < before, waiting_for=client.waiting_for)
        case AskMarks():
            return Answer(marks=await client.marks())


def _told(outcome: Outcome) -> Told:
    if isinstance(outcome, Refusal):
        return Told(None, outcome.field, outcome.problem)
    return Told(outcome)


def _clear(there: Path) -> None:
    with suppress(OSError):
        folder = Path(there.read_text("utf-8"))
        there.unlink()
        if folder.name.startswith("moot-node-"):
            shutil.rmtree(folder)
