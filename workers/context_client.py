"""Shared context for a program: a node that writes and reads in one region, also while links are cut."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from types import TracebackType
from typing import Any, Self

from domain.context.commands import PutContext
from domain.context.events import stream_of
from workers import context_rules
from workers.accepting import Accepting, Outcome
from workers.context_node import check_exists, file_of, node_of
from workers.context_putting import Writing
from workers.context_reading import Asking, Found, found
from workers.deciding import Deciding, Rules, Wanted
from workers.draining import Draining
from workers.outbox import Outbox
from workers.outbox_changes import Mark, Marks
from workers.settings import Settings

_FAREWELL = 1.0  # seconds, at most, that a client which is left goes on sending
_MET = 100_000  # keys of which it is remembered that the node knows them


def now_ms() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


class NotComparable(ConnectionError):
    """What the region has cannot be asked now, and so not be compared with `if_version`."""


class ContextClient(Writing):
    """One node of one region: an async context manager, for any number of callers in one event loop.

    A put is answered when it is durable in the node's outbox; it reaches the log soon after, or when Kafka is
    back. One process at a time has a node's outbox open. `rules` must be those of the projector: by default
    they are those of the policy's file, `FOLKMOOT_CONTEXT_POLICY`.
    """

    def __init__(
        self,
        settings: Settings,
        region: str,
        node: str | None = None,
        *,
        rules: Rules | None = None,
        within: float = 0.0,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        """`within`: seconds to wait for a process that has the outbox; `clock` gives Unix milliseconds."""
        self.region = region
        self._settings, self._stated, self._within = settings, node, within
        self._rules, self._clock = rules or context_rules.rules(), clock
        self._held = AsyncExitStack()
        self._met: set[str] = set()

    async def __aenter__(self) -> Self:
        """Open the outbox; neither Kafka nor Postgres need be there, but at the very first time Kafka.

        Raises:
            Refusal: the region does not exist, or another process has the outbox.
            OSError: the outbox cannot be used.
        """
        settings, region = self._settings, self.region
        async with AsyncExitStack() as held:
            self.node = node_of(settings.data, region, self._stated)
            file = file_of(settings.data, region, self.node)
            if not file.exists():
                await check_exists(settings, region)
            self.outbox = await asyncio.to_thread(Outbox.open, file, region, self.node, within=self._within)
            held.callback(self.outbox.close)
            self._asking = await held.enter_async_context(Asking(settings.database_url))
            deciding = Deciding(self.outbox, self.node, region, self._rules, self._clock)
            self._accepting = Accepting(self.outbox, deciding)
            self._accepting.start()
            held.push_async_callback(self._accepting.stop)
            self._draining = Draining(
                settings.kafka, settings.topic_prefix, region, self.outbox, self._accepting
            )
            await held.enter_async_context(_going_on(self._draining))
            self._held = held.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._held.aclose()

    async def put_many(
        self,
        commands: Sequence[PutContext],
        *,
        fresh: bool = False,
        marks: Marks | None = None,
    ) -> list[Outcome]:
        streams = [stream_of(self.region, command.layer, command.key) for command in commands]
        asked = {
            stream
            for stream, command in zip(streams, commands, strict=True)
            if fresh or command.if_version is not None or stream not in self._met
        }
        compared = any(command.if_version is not None for command in commands)
        heard = await self._heard(asked, fresh=fresh, compared=compared) if asked else {}
        wanted = [Wanted(c, heard.get(stream)) for c, stream in zip(commands, streams, strict=True)]
        outcomes = await self._accepting.put(wanted, marks)
        self._met.update(streams)
        if len(self._met) > _MET:
            self._met.clear()
        self._draining.more()
        return outcomes

    async def get(self, layer: str, key: str) -> Found:
        """What the region has of a key; the node remembers it.

        Raises:
            Refusal: there is no such layer.
        """
        self._rules.layers.named(layer)
        stream = stream_of(self.region, layer, key)
        projected = await self._asking.entries([stream], at_once=True)
        entry = (projected or {}).get(stream)
        if entry is not None:
            (entry,) = await self._accepting.heard([entry])
        else:
            entry = self.outbox.entries([stream]).get(stream)
        staleness = None if projected is None else await self._asking.staleness(self.region)
        return found(
            self.region,
            layer,
            key,
            entry,
            self._rules,
            staleness=staleness,
            projected=projected is not None,
            now_ms=self._clock(),
        )

    async def drained(self, within: float) -> int:
        return await self._draining.drained(within)

    async def marks(self) -> list[Mark]:
        return await asyncio.to_thread(self.outbox.marks)

    @property
    def waiting_for(self) -> str | None:
        return self._draining.problem

    @property
    def waiting(self) -> int:
        """How many puts are not on the log yet."""
        return self.outbox.waiting

    async def waiting_seconds(self) -> float:
        """How long the oldest of them has waited by the node's clock; 0 where none waits."""
        oldest = await asyncio.to_thread(self.outbox.oldest)
        return 0.0 if oldest is None else max(0.0, (self._clock() - oldest) / 1000)

    async def _heard(self, streams: set[str], *, fresh: bool, compared: bool) -> dict[str, Any]:
        unknown = streams if fresh or compared else streams - self.outbox.knows(streams)
        if not unknown:
            return {}
        entries = await self._asking.entries(sorted(unknown), at_once=compared)
        if entries is None and compared:
            raise NotComparable(
                f"if_version: what {self.region} has cannot be looked up now ({self._asking.problem});"
                " put without it, or try again"
            )
        return entries or {}


@asynccontextmanager
async def _going_on(draining: Draining) -> AsyncIterator[None]:
    task = asyncio.create_task(draining.run())
    try:
        yield
    finally:
        with suppress(TimeoutError):  # what is nearly there need not be sent twice
            async with asyncio.timeout(_FAREWELL):
                await draining.drained(_FAREWELL)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
