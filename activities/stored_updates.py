"""What came in for a round, from the artifact store: updates as strategies read them, and protected ones."""

from collections.abc import Iterator, Mapping, Sequence

from activities.learning_ports import LargeArtifacts
from domain.artifact import ArtifactRef
from domain.learning.events import Report
from domain.learning.stored_updates import StoredUpdates, places
from domain.learning.tensors import Schema
from domain.refusal import Refusal


def ref_of(report: Report) -> ArtifactRef:
    """Where a report's update lies: the store finds it by its digest."""
    return ArtifactRef(uri="", sha256=report.sha256, bytes=report.bytes)


async def opened(
    artifacts: LargeArtifacts, reports: Sequence[Report], schema: Schema
) -> tuple[StoredUpdates, tuple[str, ...]]:
    """The updates, and the clients whose file is no update of `schema`, which cannot enter a model.

    Raises:
        Refusal: a file is missing, or its bytes are not those that were reported.
    """
    files, refused = [], []
    for report in reports:
        content = await artifacts.mapped(ref_of(report))
        try:
            files.append((report, content, places(content, schema)[1]))
        except Refusal:
            refused.append(report.client)
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

    Raises:
        Refusal: a file is missing, or its bytes are not those that were reported.
    """
    ordered = sorted(reports, key=lambda report: report.client)
    return Stored({report.client: await artifacts.mapped(ref_of(report)) for report in ordered})
