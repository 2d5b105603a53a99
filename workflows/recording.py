"""The log first, the state second: how a workflow writes what it decided, one writer at a time."""

import asyncio
import copy
import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from pydantic_core import to_json
from temporalio import workflow
from temporalio.common import RetryPolicy

from activities.append import Append, Entry, StreamAppend
from domain.event import Event, EventData
from domain.stream import Draft
from workflows.heartbeats import ALIVE

S = TypeVar("S")
Write = Callable[[S, Draft, datetime], Sequence[Event]]

# A broker that is away is waited for, however long: a decision pauses, it does not fail.
_PATIENCE = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=10))
_PART_BYTES = 240 * 1024
_ENVELOPE = 256  # bytes of an entry beside its data: id, version, time, type, cause
_ATTEMPT = timedelta(seconds=20)  # above the log writer's own deadline of 10 s


class Recording(Generic[S]):
    """A single-writer stream and the state it folds to.

    Decisions are taken, appended and folded under one lock, so that none is taken on a state that an append
    under way is about to change. Versions and ids move on only when the append has succeeded. Cancelling the
    workflow lets an append under way end first.
    """

    def __init__(self, topic: str, draft: Draft, state: S, fold: Callable[[S, Sequence[Event]], S]) -> None:
        self.state = state
        self._topic = topic
        self._draft = draft
        self._fold = fold
        self._writing = asyncio.Lock()

    @property
    def writing(self) -> bool:
        """Whether what was decided last is on its way to the log, and not in `state` yet."""
        return self._writing.locked()

    def renamed(self, stream: str, region: str | None = None) -> "Recording[S]":
        """The same for the stream that the input names: a workflow exists before its input is read."""
        draft = dataclasses.replace(self._draft, stream=stream, region=region)
        return Recording(self._topic, draft, self.state, self._fold)

    async def open(self, write: Callable[[Draft, datetime], Sequence[Event]], summary: str) -> list[Event]:
        """Write the first events, refused where the stream exists already."""
        return await self._record(lambda _, draft, at: write(draft, at), summary, opening=True)

    async def record(self, decide: Callable[[S], Iterable[EventData]], summary: str) -> list[Event]:
        """Decide on the state as it stands, append what was decided, then fold it."""
        return await self.record_drafted(lambda state, draft, at: draft.events(decide(state), at), summary)

    async def record_drafted(
        self, write: Write[S], summary: str, keep: Callable[[Sequence[Event]], None] | None = None
    ) -> list[Event]:
        """As `record`, for a decision in several steps that folds its own events in between.

        `keep` takes what was appended while the lock is still held: by the time the caller goes on, the next
        decision may have been taken.
        """
        return await self._record(write, summary, keep)

    async def _record(
        self,
        write: Write[S],
        summary: str,
        keep: Callable[[Sequence[Event]], None] | None = None,
        *,
        opening: bool = False,
    ) -> list[Event]:
        writing = asyncio.create_task(self._write(write, summary, keep, opening=opening))
        try:
            return await asyncio.shield(writing)
        except asyncio.CancelledError:
            # What is on its way may be on the log already: a version that was left in the dark would be
            # written a second time by whatever ends the stream.
            await writing
            raise

    async def _write(
        self,
        write: Write[S],
        summary: str,
        keep: Callable[[Sequence[Event]], None] | None,
        *,
        opening: bool,
    ) -> list[Event]:
        async with self._writing:
            draft = copy.copy(self._draft)
            events = list(write(self.state, draft, workflow.now()))
            after = self._fold(self.state, events)  # what could not have happened never reaches the log
            for number, part in enumerate(parts(events)):
                await workflow.execute_activity_method(
                    Append.open_stream if opening and number == 0 else Append.append_events,
                    request(self._topic, part),
                    start_to_close_timeout=_ATTEMPT,
                    heartbeat_timeout=ALIVE,
                    retry_policy=_PATIENCE,
                    summary=summary,
                )
            self._draft = draft
            self.state = after
            if keep is not None:
                keep(events)
            return events


def request(topic: str, events: Sequence[Event]) -> StreamAppend:
    """The append of `events`, all of one stream and one run, as it travels to the activity."""
    first = events[0]
    return StreamAppend(
        topic=topic,
        stream=first.stream,
        source=first.source,
        workflow_id=first.workflow_id or "",
        run_id=first.run_id or "",
        region=first.region,
        correlation_id=first.correlation_id,
        entries=tuple(
            Entry(event.id, event.version, event.time, event.type, event.data, event.causation_id)
            for event in events
        ),
    )


def parts(events: Sequence[Event]) -> Iterator[Sequence[Event]]:
    """`events` in order, in appends below 256 KiB each, unless one event alone is larger."""
    start = size = 0
    for index, event in enumerate(events):
        grown = size + len(to_json(event.data)) + _ENVELOPE
        if index > start and grown > _PART_BYTES:
            yield events[start:index]
            start, grown = index, grown - size
        size = grown
    if events:
        yield events[start:]
