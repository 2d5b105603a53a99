"""The events of one stream as they lie on the log, each in a line that a person can read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from audit.decisions import SETTLING
from audit.wording import said
from domain.conflict.events import CaseOpened
from domain.consensus.events import DocketOpened, Opened
from domain.event import Event
from domain.learning.events import CycleOpened
from domain.refusal import Refusal
from domain.strict_json import printable
from eventlog.codec import decode
from eventlog.reader import LogReader
from eventlog.record import RawRecord
from eventlog.undecodable import Undecodable
from projections.dead_letter import LONGEST_REASON, reason_of
from projections.queries import Span
from projections.registry import PROJECTIONS

OPEN = (
    "no outcome is on the log: it is still being decided, or its workflow was ended before;"
    " Temporal knows which, `temporal workflow describe -w STREAM`"
)


@dataclass(frozen=True, slots=True)
class Step:
    """One record of the stream: where it lies, and the event in it; None where it cannot be read."""

    record: RawRecord
    event: Event | None
    note: str  # why it is no next event of the stream; empty where it is

    def line(self) -> str:
        """Position, time, version, and what happened."""
        place = f"{self.record.topic}/{self.record.partition} offset {self.record.offset}"
        if self.event is None:
            return f"{place}  {self.note}"
        at = self.event.time.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        what = printable(said(self.event.data), 400)
        note = f"  [{self.note}]" if self.note else ""
        return f"{place}  {at}  {self.event.version:>3}  {self.event.type}  {what}{note}"

    def data(self) -> dict[str, Any]:
        """The same for programs, with the event's own fields."""
        place = {
            "topic": self.record.topic,
            "partition": self.record.partition,
            "offset": self.record.offset,
            "note": self.note,
        }
        if self.event is None:
            return place
        told = {"said": said(self.event.data), "type": self.event.type}
        return place | told | {**msgspec.to_builtins(self.event)}


async def trail(reader: LogReader, stream: str, span: Span | None = None) -> list[Step]:
    """Every record of `stream`, in the order of the log.

    With `span`, only where the read model knows records of it, and what the read model has not read yet; else
    the whole of its partition.

    Raises:
        Refusal: it is no stream's name, or the log holds nothing of it.
    """
    if span is None:
        records = await reader.stream(stream)
    else:
        records = await reader.stream(stream, span.first, span.end)
        records += await reader.stream(stream, max(span.end, span.read_to))
    so_far = _SoFar(stream)
    steps = [so_far.step(record) for record in records]
    if not steps:
        raise Refusal("stream", f"{printable(stream, 100)} has no event on the log")
    return steps


def rests_on(span: Span | None) -> str:
    """What of the log was read, in words."""
    if span is None:
        return "read: the stream's whole partition"
    return (
        f"read: offsets {span.first} to {span.end - 1}, where the read model knows of the stream, and from"
        f" {max(span.end, span.read_to)} on; all of the partition with --scan"
    )


def has_outcome(steps: Sequence[Step]) -> bool:
    """Whether the last thing that happened ends the stream; one of another kind never ends."""
    held = [step.event.data for step in steps if step.event is not None and not step.note]
    deciding = bool(held) and isinstance(held[0], Opened | DocketOpened | CaseOpened | CycleOpened)
    return not deciding or isinstance(held[-1], SETTLING)


class _SoFar:
    """The stream up to a record: the event id of every version, and what the read model folds of them."""

    def __init__(self, stream: str) -> None:
        self._stream = stream
        self._ids: dict[int, str] = {}
        category = stream.partition("/")[0]
        self._taker = next((taker for taker in PROJECTIONS if taker.category == category), None)
        self._state: Any = None

    def step(self, record: RawRecord) -> Step:
        try:
            event = decode(record.value)
        except Undecodable as error:
            return Step(record, None, f"cannot be read: {error.reason}")
        return Step(record, event, self._note(event))

    def _note(self, event: Event) -> str:
        """What repeats, contradicts or cannot follow the events before is said to."""
        if event.stream != self._stream:
            return "misfiled: it is an event of another stream"
        if self._taker is not None and not self._taker.numbered:
            return self._joined(event)
        known = self._ids.get(event.version)
        if known is not None:
            return "written again" if known == event.id else "a fork: another event has this version"
        self._ids[event.version] = event.id
        if len(self._ids) < event.version:
            return "a gap: earlier versions are missing"
        return self._folded(event)

    def _joined(self, event: Event) -> str:
        """Where any number of nodes write, a repetition is what the fold has already."""
        before = self._state
        note = self._folded(event)
        return "written again" if not note and self._state is before else note

    def _folded(self, event: Event) -> str:
        try:
            if self._taker is not None:
                self._state = self._taker.fold(self._state, event)
        except Exception as error:  # noqa: BLE001 # whatever the fold dies of parks the record
            return f"does not follow: {printable(reason_of(error)[1], LONGEST_REASON)}"
        return ""
