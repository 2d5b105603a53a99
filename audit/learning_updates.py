"""The stored updates of a round as strategies read them, and those whose file is none of an update."""

import json
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from audit.learning_artifacts import Artifacts, content
from domain.artifact import ArtifactRef
from domain.learning.events import Report
from domain.learning.stored_updates import StoredUpdates, places
from domain.learning.tensor_file import Place
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
            found, said = _read(raw, schema)
        except Refusal:
            broken.append(report.client)
            continue
        if said != report.client:
            if report.client not in left_out:
                raise Refusal(what, f"its file {report.sha256[:12]} says that it is another client's")
            broken.append(report.client)
            continue
        files.append((report, raw, found))
    return StoredUpdates(files), tuple(broken)


def _read(raw: memoryview, schema: Schema) -> tuple[Mapping[str, Place], str]:
    """Where each tensor lies, and whose update the file says it is."""
    text, found = places(raw, schema)
    for name, place in found.items():
        if not np.isfinite(place.view(raw)).all():
            raise Refusal("update", f"tensor '{name}' holds NaN or an infinity")
    try:
        said = json.loads(text)["node_id"]
    except (ValueError, TypeError, KeyError):
        raise Refusal("update", "does not say whose it is") from None
    return found, str(said)
