"""What a node and a process beside it tell each other: a length in 4 bytes, then MessagePack."""

import asyncio
from typing import Any

import msgspec

from domain.context.commands import PutContext
from workers.deciding import Accepted
from workers.outbox_changes import Mark, Marks


class Put(msgspec.Struct, tag=True):
    commands: list[PutContext]
    fresh: bool
    marks: Marks | None


class Drain(msgspec.Struct, tag=True):
    """Answered after `within` seconds at most: what is `left`, and whether some of it `moved`."""

    within: float


class AskMarks(msgspec.Struct, tag=True):
    pass


class Told(msgspec.Struct):
    """One put's outcome: accepted, or refused with a field and a problem."""

    accepted: Accepted | None
    field: str = ""
    problem: str = ""


class Answer(msgspec.Struct):
    outcomes: list[Told] = []
    left: int = 0
    moved: bool = False
    waiting_for: str | None = None
    marks: list[Mark] = []
    fault: str | None = None


_encode = msgspec.msgpack.Encoder().encode
asked_in = msgspec.msgpack.Decoder(Put | Drain | AskMarks).decode
answer_in = msgspec.msgpack.Decoder(Answer).decode


async def send(writer: asyncio.StreamWriter, what: Any) -> None:
    message = _encode(what)
    writer.write(len(message).to_bytes(4, "big") + message)
    await writer.drain()


async def received(reader: asyncio.StreamReader) -> bytes:
    return await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big"))
