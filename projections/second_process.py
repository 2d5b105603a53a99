"""A second process for a rebuild: one core folds, encodes and waits more than it can while two are there."""

import asyncio
import multiprocessing
import os
import pickle
import socket
import sys
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing import reduction
from multiprocessing.connection import Connection as Pipe
from types import TracebackType
from typing import Any, Self

import asyncpg

from domain.context.layers import Layers
from domain.context.rules.conflict import TextMerge
from eventlog.reader import LogReader
from eventlog.record import RawRecord
from projections import sharing
from projections.connection import connect
from projections.filling import Filling, Orders
from projections.in_memory import Place
from projections.projection import owned_tables
from projections.registry import BY_NAME, CONTEXT
from projections.shadow import Shadow, Sums, TakenTwice
from projections.tables import DEAD_LETTER

# A fork has everything imported at once; elsewhere than on Linux it is not safe.
METHOD = "fork" if sys.platform == "linux" else "spawn"
_AHEAD = 2 * 1024 * 1024  # bytes that may be on their way, at each end and about twice over
_DIED = "the second process died; begin the rebuild again"

Asked = tuple[Orders, dict[Place, int], dict[Place, int]]
Rules = tuple[Layers, str, TextMerge | None]
Servers = tuple[str, str, str]  # Kafka, the topics' prefix, the database's URL


class SecondProcess:
    """A `projections.filling.Second`; begin it before any event loop, thread or connection is there.

    It ends with the `with` block, and by itself when its parent is gone. Each order has a socket of its own:
    what one that failed left unread does not reach the next.
    """

    def __init__(self, kafka: str, prefix: str, database_url: str, method: str = METHOD) -> None:
        context: Any = multiprocessing.get_context(method)
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve,
            args=(
                theirs,
                self._pipe,
                (kafka, prefix, database_url),
                (CONTEXT.layers, CONTEXT.texts, CONTEXT.merge_text),
            ),
            daemon=True,
        )

    def __enter__(self) -> Self:
        self._process.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.join()

    async def open(
        self, orders: Orders, starts: Mapping[Place, int], ends: Mapping[Place, int]
    ) -> "SocketChannel":
        """See `projections.filling.Second`.

        Raises:
            ConnectionError: the process is gone.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._pipe.send((orders, dict(starts), dict(ends)))
                reduction.send_handle(self._pipe, theirs.fileno(), self._process.pid)
            except OSError:
                ours.close()
                raise ConnectionError(_DIED) from None
        return SocketChannel(*await asyncio.open_connection(sock=ours, limit=_AHEAD))


class SocketChannel:
    """A `projections.filling.Channel`. Every message is preceded by its length in 4 bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        writer.transport.set_write_buffer_limits(high=_AHEAD)

    async def give(self, records: Sequence[RawRecord]) -> None:
        try:
            await _send(self._writer, sharing.to_bytes(records))
        except ConnectionError:
            raise ConnectionError(_DIED) from None

    async def sums(self, told: Callable[[int], None]) -> Sums:
        while True:
            try:
                what, answer = pickle.loads(await _received(self._reader))  # noqa: S301 # our own child wrote it
            except (asyncio.IncompleteReadError, ConnectionError):
                raise ConnectionError(_DIED) from None
            match what:
                case "read":
                    told(answer)
                case "done":
                    sums: Sums = answer
                    return sums
                case "taken":
                    raise TakenTwice(answer)
                case _:
                    raise ConnectionError(f"the second process failed: {answer}")

    async def close(self) -> None:
        with suppress(OSError):
            self._writer.write_eof()
            await _drained(self._reader)
        await _closed(self._writer)


class _Given:
    """A `projections.sharing.Source` of what came through a socket."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    async def batches(self, *_: Any, **__: Any) -> AsyncGenerator[list[RawRecord], None]:
        while records := sharing.from_bytes(await _received(self._reader)):
            yield records


async def _send(writer: asyncio.StreamWriter, message: bytes) -> None:
    writer.write(len(message).to_bytes(4, "big"))
    writer.write(message)
    await writer.drain()


async def _received(reader: asyncio.StreamReader) -> bytes:
    return await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big"))


async def _drained(reader: asyncio.StreamReader) -> None:
    while await reader.read(_AHEAD):
        pass


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


def _serve(pipe: Pipe, parents: Pipe, servers: Servers, rules: Rules) -> None:
    CONTEXT.settle_by(*rules)  # one that was not forked knows the defaults only
    parents.close()  # so that the pipe ends with the parent
    try:
        while True:
            asked = pipe.recv()
            with socket.socket(fileno=reduction.recv_handle(pipe)) as channel:
                asyncio.run(_answer(channel, asked, servers))
    except (EOFError, OSError, KeyboardInterrupt):
        os._exit(0)


async def _answer(channel: socket.socket, asked: Asked, servers: Servers) -> None:
    reader, writer = await asyncio.open_connection(sock=channel, limit=_AHEAD)

    def told(events: int) -> None:
        _say(writer, "read", events)

    _say(writer, *await _filled(reader, asked, told, servers))
    with suppress(ConnectionError):
        await writer.drain()
        await _drained(reader)  # what is still given when it has failed is of no use
    await _closed(writer)


def _say(writer: asyncio.StreamWriter, what: str, answer: Any) -> None:
    message = pickle.dumps((what, answer))
    writer.write(len(message).to_bytes(4, "big") + message)


async def _filled(
    given: asyncio.StreamReader, asked: Asked, told: Callable[[int], None], servers: Servers
) -> tuple[str, Any]:
    orders, starts, ends = asked
    kafka, prefix, database_url = servers
    tables = [table for name in orders.names for table in owned_tables(BY_NAME[name])] + [DEAD_LETTER]
    connection = await connect(database_url)
    try:
        async with LogReader(kafka, prefix) as reader:
            shadow = Shadow(connection, tables, orders.live)
            await shadow.enter()
            filling = Filling(reader, shadow, orders, lambda *_: None)
            await filling.fill_from(_Given(given), starts, ends, told)
            return "done", shadow.take_sums()
    except (TakenTwice, asyncpg.UniqueViolationError) as taken:
        return "taken", str(taken)
    except Exception as error:  # noqa: BLE001 # whatever it is, the first process must hear of it
        return "failed", f"{type(error).__name__}: {error}"
    finally:
        connection.terminate()
