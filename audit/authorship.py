"""Who wrote a stream: the workflows' own account of what they appended, held against the log."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field

from audit.decisions import Passed, stream_events
from audit.discards import Discards, discarded
from audit.divergent import Divergent
from audit.ledger import TOPICS, UNREAD, Held, Ledger
from domain.event import Event
from domain.refusal import Refusal
from domain.stream import writer_of
from eventlog.envelope import STREAM
from eventlog.reader import LogReader
from projections.batch import decoded
from projections.in_memory import Place

_STREAM = re.compile(STREAM)


def concerning(stream: str | None) -> Callable[[str], bool]:
    """Which streams are held against histories: a docket's items with it; all of them for None."""
    return lambda name: stream is None or stream in (name, writer_of(name))


@dataclass(frozen=True, slots=True)
class Unvouched:
    """A stream that cannot be held against a history, and why; `events` of it are on the log."""

    stream: str
    events: int
    why: str


@dataclass(slots=True)
class Authorship:
    """Holds what histories say against `ledger`.

    The ledger must have been read before the histories were: an event on it that its writer's history does
    not hold was then written by somebody else. What a history says was acknowledged and the ledger does not
    hold may have come after that reading, so the ledger is read on before `findings`.
    """

    ledger: Ledger
    streams: int = 0
    _ends: dict[Place, int] = field(init=False)
    _writers: set[str] = field(default_factory=set)
    _unknown: dict[str, str] = field(default_factory=dict)
    _missing: dict[str, dict[int, Event]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._ends = dict(self.ledger.ends)

    def wrote(self, writer: str, event: Event, *, durable: bool) -> None:
        """The history of `writer` appended `event`; `durable`: and the log acknowledged it."""
        self._writers.add(writer)
        if not self.ledger.wanted(event.stream):
            return
        if not self.ledger.strike(event) and durable:
            self._missing.setdefault(event.stream, {})[event.version] = event

    def cannot_tell(self, writer: str, why: str) -> None:
        """The history of `writer` does not say what it wrote to its items."""
        self._unknown[writer] = why

    def without_history(self) -> set[str]:
        """Writers of streams on the log that no history has spoken for."""
        named = (stream for stream in self.ledger if _STREAM.fullmatch(stream))
        open_ones = {writer_of(stream) for stream in named if self._early(stream)}
        return open_ones - self._writers - self._unknown.keys()

    async def findings(self, reader: LogReader) -> tuple[list["Foreign"], list[Unvouched]]:
        """Streams that are not as their workflow wrote them, each at its first place; then the unvouched.

        What a person gave up, and readers pass over, needs no author.
        """
        discards = {topic: await discarded(reader, topic) for topic in TOPICS}
        foreign, unvouched = [], []
        self.streams = 0
        for stream in sorted({*self.ledger, *self._missing}):
            extra = await _in_effect(reader, stream, self._early(stream), discards)
            gone = self._still_missing(stream)
            writer = writer_of(stream)
            if not extra and not gone:
                self.streams += 1
            elif writer in self._unknown and writer != stream:
                unvouched.append(Unvouched(stream, len(extra), self._unknown[writer]))
            elif writer in self._writers:
                foreign.append(_first(stream, extra, gone))
            else:
                unvouched.append(Unvouched(stream, len(extra), "Temporal has no history to compare with"))
        return foreign, unvouched

    def _early(self, stream: str) -> list[Held]:
        ends = self._ends
        return [
            held
            for held in self.ledger.left(stream)
            if held.offset < ends.get((held.topic, held.partition), 0)
        ]

    def _still_missing(self, stream: str) -> dict[int, Event]:
        missing = self._missing.get(stream, {})
        return {version: event for version, event in missing.items() if not self.ledger.strike(event)}


@dataclass(frozen=True, slots=True)
class Foreign:
    """The first place where a stream is not what its workflow appended.

    `there`: the record that lies there, None if none does; `appended`: what should, None if nothing.
    """

    stream: str
    there: Held | None
    appended: Event | None

    async def told(self, reader: LogReader) -> Divergent:
        """In words, with what the record holds."""
        if self.there is None:
            if self.appended is None:
                raise AssertionError("a stream is as it was written, and was named all the same")
            lost = self.appended
            return Divergent(
                self.stream, lost.id, lost.type, "its workflow appended it, but the log lacks it"
            )
        problem = f"offset {self.there.offset}: its workflow did not append it"
        if self.appended is not None:
            problem += f", but event {self.appended.id} as version {self.appended.version}"
        held = await _read(reader, self.there)
        if held is None or held.stream != self.stream:
            return Divergent(self.stream, "none", "no event of this stream", problem)
        return Divergent(self.stream, held.id, held.type, problem)


async def _in_effect(
    reader: LogReader, stream: str, left: Sequence[Held], discards: Mapping[str, Discards]
) -> list[Held]:
    """`left` without what was given up, so far as readers do leave that out."""
    passed = Passed()
    if any(held.offset in discards[held.topic].get(held.partition, ()) for held in left):
        with suppress(Refusal):  # what is left out is told also where nothing is applied
            await stream_events(reader, stream, passed)
    return [held for held in left if (held.topic, held.partition, held.offset) not in passed.left_out]


async def _read(reader: LogReader, held: Held) -> Event | None:
    spans = reader.batches(held.topic, held.partition, held.offset, held.offset + 1)
    async with aclosing(spans) as batches:
        found = [event async for batch in batches for _, event in decoded(batch)]
    return found[0] if found and isinstance(found[0], Event) else None


def _first(stream: str, extra: Iterable[Held], missing: Mapping[int, Event]) -> Foreign:
    """By version; records that are no event come last, for their place in the stream is not known."""
    ordered = sorted(extra, key=lambda held: (held.version == UNREAD, held.version, held.offset))
    there = ordered[0] if ordered else None
    first = min(missing, default=None)
    if there is None or (first is not None and (there.version == UNREAD or first < there.version)):
        return Foreign(stream, None, missing[first] if first is not None else None)
    return Foreign(stream, there, missing.get(there.version))
