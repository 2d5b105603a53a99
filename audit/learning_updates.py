"""The stored updates of a round as strategies read them, and those whose file is none of an update."""

from collections.abc import Collection, Sequence

from audit.learning_artifacts import Artifacts, content
from domain.artifact import ArtifactRef
from domain.learning.events import Report
from domain.learning.stored_updates import StoredUpdates, places
from domain.learning.tensors import Schema
from domain.refusal import Refusal


async def stored(
    artifacts: Artifacts, reports: Sequence[Report], schema: Schema, left_out: Collection[str] = ()
) -> tuple[StoredUpdates, tuple[str, ...]]:
    """The updates, and the clients whose file is no update of `schema`: those cannot have entered a model.

    Nor can that of a client that the record left out (`left_out`), if its file is missing, was changed, or
    says that it is another client's.

    Raises:
        Refusal: it is so of a client that entered.
    """
    files, broken = [], []
    for report in reports:
        what = f"update of {report.client}"
        try:
            raw = memoryview(await content(artifacts, ArtifactRef("", report.sha256, report.bytes), what))
        except Refusal:
            if report.client not in left_out:
                raise
            broken.append(report.client)
            continue
        try:
            whose, found = places(raw, schema)
        except Refusal:
            broken.append(report.client)
            continue
        if whose == report.client:
            files.append((report, raw, found))
        elif report.client in left_out:
            broken.append(report.client)
        else:
            raise Refusal(what, f"its file {report.sha256[:12]} says that it is another client's")
    return StoredUpdates(files), tuple(broken)
