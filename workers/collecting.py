"""Artifacts that nothing refers to: found by reading the whole log, and taken out when a person says so.

Whatever looks like a digest counts as a reference: every 64 hexadecimal digits in a row in a record of any
topic and any type, also of types that this version does not know, in a schedule's input, and inside an
artifact that is referred to itself. So a docket's slices, rosters, lineages and updates are kept by the names
that they go by, without anybody having to list where a reference may stand.
"""

import json
import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.artifact import ArtifactRef
from domain.refusal import Refusal
from domain.strict_json import printable
from eventlog.reader import LogReader
from workers.artifacts import FsspecArtifacts
from workers.away import Away, why
from workers.settings import Settings

GRACE = timedelta(days=14)
"""An artifact is stored before the event that names it: a round may take a week, its cycle more."""
LEAST_GRACE = timedelta(hours=1)

_RUN = re.compile(rb"[0-9a-f]{64,}")
_DIGITS = 64


@dataclass(frozen=True, slots=True)
class Unreferenced:
    """An artifact that nothing refers to."""

    sha256: str
    bytes: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """What a look at the store came to; `records` of the log were read, up to where it ended then.

    `young`: unreferenced, and kept since they were put after `before`, or their age is not known. All are as
    long as this log's mark, of `marked_at`, is younger itself: other logs that use the store may mark it yet.
    """

    stored: int
    referenced: int
    young: int
    records: int
    before: datetime
    marked_at: datetime | None
    unreferenced: tuple[Unreferenced, ...]


async def mark(store: FsspecArtifacts, settings: Settings) -> None:
    """Say in the store that this log uses it, so that no other one's collects what this one names.

    Raises:
        Refusal: the store cannot be written.
    """
    async with LogReader(settings.kafka, settings.topic_prefix) as reader:
        name = await reader.name()
    try:
        await store.mark(name)
    except OSError as error:
        raise Refusal("FOLKMOOT_ARTIFACTS", f"cannot be written: {printable(str(error), 120)}") from None


async def keep_marked(store: FsspecArtifacts, settings: Settings) -> None:
    """Mark it as soon as Kafka and the store answer: what works without them must not wait for them."""
    away = Away()
    while True:
        try:
            await mark(store, settings)
        except (OSError, Refusal) as error:
            away.left("artifacts", why(error))
            await away.wait("artifacts")
        else:
            away.back("artifacts")
            return


async def look(
    store: FsspecArtifacts,
    reader: LogReader,
    now: datetime,
    *,
    grace: timedelta = GRACE,
    inputs: Iterable[bytes] = (),
) -> Found:
    """What could be taken out; nothing is.

    The store is listed before the log is read, so that whatever is stored meanwhile is not looked at.
    `inputs` are texts beside the log that may refer to artifacts.

    Raises:
        Refusal: the grace is too short, another log uses the store or this one does not, the log does not
            begin at its beginning, none of its records refers to anything here, or an artifact that is
            referred to cannot be read.
    """
    if grace < LEAST_GRACE:
        raise Refusal("--grace", f"{grace} is below an hour; artifacts are stored before they are named")
    before = now - grace
    marked = await _marked(store, await reader.name())
    settled = marked is None or marked <= before
    stored = await store.listed()
    named, records = await _on_the_log(reader, stored)
    for text in inputs:
        named |= digests(text, stored)
    if stored and not named:
        raise Refusal(
            "FOLKMOOT_ARTIFACTS",
            f"none of its {len(stored):,} artifacts is named by the log's {records:,} records: it belongs to"
            " another log (FOLKMOOT_KAFKA, FOLKMOOT_TOPIC_PREFIX); nothing can be collected",
        )
    kept = await _reached(store, stored, named)
    found, young = [], 0
    for digest in sorted(stored.keys() - kept):
        at = await store.changed_at(digest)
        if at is None or at > before or not settled:
            young += 1
        else:
            found.append(Unreferenced(digest, stored[digest], at))
    return Found(len(stored), len(kept), young, records, before, marked, tuple(found))


async def take_out(store: FsspecArtifacts, found: Found) -> list[Unreferenced]:
    """Take out what was found; whatever was put again since then stays."""
    return [one for one in found.unreferenced if await store.remove(one.sha256, found.before)]


def digests(text: bytes, known: Container[str]) -> set[str]:
    """Which of the `known` digests `text` names; in a longer run of digits each 64 in a row may be one."""
    named = {digest for digest in _in_a_row(text) if digest in known}
    if b"\\u" in text:  # none of our writers escapes digits; a foreign one may
        try:
            plain = json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8", "replace")
        except ValueError:
            return named
        named.update(digest for digest in _in_a_row(plain) if digest in known)
    return named


def _in_a_row(text: bytes) -> Iterator[str]:
    for run in _RUN.findall(text):
        for start in range(len(run) - _DIGITS + 1):
            yield run[start : start + _DIGITS].decode()


async def _marked(store: FsspecArtifacts, own: str) -> datetime | None:
    """When `own`, the one log that uses the store, marked it."""
    marks = await store.marks()
    if others := sorted(marks.keys() - {own}):
        raise Refusal(
            "FOLKMOOT_ARTIFACTS",
            f"the log {printable(others[0], 100)} uses it, too, and what that names is not known here: give "
            f"each log a store of its own; if that one is gone for good, remove its mark from logs/",
        )
    if own not in marks:
        raise Refusal(
            "FOLKMOOT_ARTIFACTS",
            f"this log, {own}, has not marked it as its own: `moot worker orchestrator` does when it starts",
        )
    return marks[own]


async def _on_the_log(reader: LogReader, stored: Container[str]) -> tuple[set[str], int]:
    named: set[str] = set()
    records = 0
    for topic in await reader.topics():
        for partition in await reader.partitions(topic):
            beginning, end = await reader.beginning_and_end(topic, partition)
            if beginning:
                raise Refusal(
                    f"topic {topic}",
                    f"begins at offset {beginning}: what the lost records named is not known",
                )
            async for batch in reader.batches(topic, partition, 0, end):
                for record in batch:
                    named |= digests(record.value, stored) | digests(record.key or b"", stored)
                records += len(batch)
    return named, records


async def _reached(store: FsspecArtifacts, stored: dict[str, int], named: set[str]) -> set[str]:
    """The artifacts that are named, by the log or by another one that is."""
    reached: set[str] = set()
    todo = sorted(named)
    while todo:
        digest = todo.pop()
        reached.add(digest)
        content = await store.get(ArtifactRef("", digest, stored[digest]))
        todo += sorted(digests(content, stored) - reached - set(todo))
    return reached
