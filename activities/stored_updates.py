"""The updates of a round over their stored files: read block by block, so that no model is loaded for it."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from activities import tensor_file
from activities.learning_ports import LargeArtifacts
from activities.tensor_file import Place
from activities.update_file import KEY, WHAT
from domain.artifact import ArtifactRef
from domain.learning.events import Report
from domain.learning.tensors import Schema
from domain.refusal import Refusal


def ref_of(report: Report) -> ArtifactRef:
    """Where a report's update lies: the store finds it by its digest."""
    return ArtifactRef(uri="", sha256=report.sha256, bytes=report.bytes)


class StoredUpdates:
    """`domain.learning.strategy.Updates`; made by `opened`."""

    def __init__(self, files: Sequence[tuple[Report, memoryview, Mapping[str, Place]]]) -> None:
        self._files = sorted(files, key=lambda file: file[0].client)

    @property
    def clients(self) -> Sequence[str]:
        return [report.client for report, _, _ in self._files]

    @property
    def samples(self) -> Sequence[int]:
        return [report.samples for report, _, _ in self._files]

    @property
    def steps(self) -> Sequence[int]:
        return [report.steps for report, _, _ in self._files]

    @property
    def losses(self) -> Sequence[float]:
        """Of the model that each was given.

        Raises:
            Refusal: a privacy method keeps them on the nodes.
        """
        known = [report.loss for report, _, _ in self._files if report.loss is not None]
        if len(known) != len(self._files):
            raise Refusal("strategy", "it weighs clients by their loss, which this privacy method hides")
        return known

    @property
    def groups(self) -> Sequence[int]:
        return [report.group for report, _, _ in self._files]

    def block(self, tensor: str, start: int, stop: int) -> NDArray[np.float64]:
        """Numbers `start` up to `stop` of the flattened `tensor`: clients x numbers.

        Raises:
            Refusal: an update holds NaN or an infinity there; names its client.
        """
        found = np.empty((len(self._files), stop - start))
        for row, (_, content, places) in enumerate(self._files):
            found[row] = places[tensor].view(content).reshape(-1)[start:stop]
        if not np.isfinite(found).all():
            (bad, *_), _ = np.nonzero(~np.isfinite(found))
            raise Refusal(WHAT, f"of {self.clients[int(bad)]}: tensor '{tensor}' holds NaN or an infinity")
        return found


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
            files.append((report, content, _places(content, schema)))
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


def _places(content: memoryview, schema: Schema) -> Mapping[str, Place]:
    """By the tensor's own name; what the file says of itself is held against the schema."""
    read = tensor_file.header(content, WHAT)
    if read.metadata.keys() != {KEY}:
        raise Refusal(WHAT, "has other metadata than an update")
    wanted = {f"{spec.section}/{spec.name}": spec for spec in schema}
    if read.places.keys() != wanted.keys():
        raise Refusal(WHAT, "holds other tensors than the model")
    for name, spec in wanted.items():
        if (read.places[name].shape, read.places[name].dtype) != (spec.shape, spec.dtype):
            raise Refusal(WHAT, f"tensor '{spec.name}' is of another shape or type")
    return {spec.name: read.places[name] for name, spec in wanted.items()}
