"""A second process for a rebuild: one core folds, encodes and waits more than it can while two are there."""

import asyncio
import multiprocessing
import os
import sys
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection as Pipe
from types import TracebackType
from typing import Any, Self

import asyncpg

from eventlog.reader import LogReader
from projections.connection import connect
from projections.filling import Filling, Orders
from projections.in_memory import Place
from projections.pipeline import Share
from projections.projection import owned_tables
from projections.registry import BY_NAME
from projections.shadow import Shadow, Sums, TakenTwice
from projections.tables import DEAD_LETTER

# A fork has everything imported at once; elsewhere than on Linux it is not safe.
METHOD = "fork" if sys.platform == "linux" else "spawn"


class SecondProcess:
    """A `projections.filling.Second`; begin it before any event loop, thread or connection is there.

    It ends with the `with` block, and by itself when its parent is gone.
    """

    def __init__(self, kafka: str, prefix: str, database_url: str, method: str = METHOD) -> None:
        context: Any = multiprocessing.get_context(method)
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, self._pipe, kafka, prefix, database_url), daemon=True
        )

    def __enter__(self) -> Self:
        self._process.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.join()

    async def fill(
        self,
        orders: Orders,
        starts: Mapping[Place, int],
        ends: Mapping[Place, int],
        share: Share,
        told: Callable[[int], None],
    ) -> Sums:
        """See `projections.filling.Second`."""
        self._pipe.send((orders, dict(starts), dict(ends), share))
        while True:
            await _readable(self._pipe)
            try:
                what, answer = self._pipe.recv()
            except EOFError:
                raise ConnectionError("the second process died; begin the rebuild again") from None
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


async def _readable(pipe: Pipe) -> None:
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(pipe.fileno(), ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(pipe.fileno())


def _serve(pipe: Pipe, parents: Pipe, kafka: str, prefix: str, database_url: str) -> None:
    parents.close()  # so that the pipe ends with the parent
    try:
        while True:
            pipe.send(asyncio.run(_answer(pipe, pipe.recv(), kafka, prefix, database_url)))
    except (EOFError, OSError, KeyboardInterrupt):
        os._exit(0)


async def _answer(
    pipe: Pipe,
    asked: tuple[Orders, dict[Place, int], dict[Place, int], Share],
    kafka: str,
    prefix: str,
    database_url: str,
) -> tuple[str, Any]:
    orders, starts, ends, share = asked
    tables = [table for name in orders.names for table in owned_tables(BY_NAME[name])] + [DEAD_LETTER]
    connection = await connect(database_url)
    try:
        async with LogReader(kafka, prefix) as reader:
            shadow = Shadow(connection, tables, orders.live)
            await shadow.enter()
            filling = Filling(reader, shadow, orders, lambda *_: None)
            await filling.fill_share(starts, ends, share, lambda events: pipe.send(("read", events)))
            return "done", shadow.take_sums()
    except (TakenTwice, asyncpg.UniqueViolationError) as taken:
        return "taken", str(taken)
    except Exception as error:  # noqa: BLE001 # whatever it is, the parent must hear of it
        return "failed", f"{type(error).__name__}: {error}"
    finally:
        connection.terminate()
