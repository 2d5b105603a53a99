"""What came in for a round, from the artifact store: updates as strategies read them, and protected ones."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence

from temporalio import activity

from activities.learning_ports import LargeArtifacts
from domain.artifact import ArtifactRef
from domain.learning.events import Report
from domain.learning.stored_updates import StoredUpdates, places
from domain.learning.tensor_file import Place
from domain.learning.tensors import Schema
from domain.refusal import Refusal

SMALL = 1 << 18
"""Bytes of an update that are looked through sooner than a thread takes them over."""


def ref_of(report: Report) -> ArtifactRef:
    """Where a report's update lies: the store finds it by its digest."""
    return ArtifactRef(uri="", sha256=report.sha256, bytes=report.bytes)


async def opened(
    artifacts: LargeArtifacts, reports: Sequence[Report], schema: Schema
) -> tuple[StoredUpdates, tuple[str, ...]]:
    """The updates, and the clients that have none which could enter a model.

    A file that is missing, has other bytes than were reported, is no update of `schema`, holds NaN or an
    infinity, or says that it is another client's: it is that client's fault alone, and stops nobody else.
    """
    files, refused = [], []
    for report in reports:
        try:
            content = await artifacts.mapped(ref_of(report))
            if len(content) <= SMALL:
                found = _places(content, schema, report.client)
            else:
                found = await asyncio.to_thread(_places, content, schema, report.client)
        except Refusal as refusal:
            _left_out(report, refusal)
            refused.append(report.client)
        else:
            files.append((report, content, found))
    return StoredUpdates(files), tuple(sorted(refused))


class Stored(Mapping[str, bytes]):
    """Files by client, each read and checked when it is asked for."""

    def __init__(self, contents: Mapping[str, memoryview]) -> None:
        self._contents = contents

    def __getitem__(self, client: str) -> bytes:
        return bytes(self._contents[client])

    def __iter__(self) -> Iterator[str]:
        return iter(self._contents)

    def __len__(self) -> int:
        return len(self._contents)


async def hidden(artifacts: LargeArtifacts, reports: Sequence[Report]) -> Stored:
    """Protected updates by client, in the order of their ids.

    Without those whose file is missing, or has other bytes than were reported: such a client counts as one
    that dropped out. What the bytes hide nobody can look at here.
    """
    found = {}
    for report in sorted(reports, key=lambda report: report.client):
        try:
            found[report.client] = await artifacts.mapped(ref_of(report))
        except Refusal as refusal:
            _left_out(report, refusal)
    return Stored(found)


def _places(content: memoryview, schema: Schema, client: str) -> Mapping[str, Place]:
    whose, found = places(content, schema)
    if whose != client:
        raise Refusal("update", "says that it is another client's")
    return found


def _left_out(report: Report, refusal: Refusal) -> None:
    activity.logger.warning("update.unusable", extra={"client": report.client, "why": str(refusal)})
