"""The updates of a round over their stored files: read block by block, so that no model is loaded for it."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from temporalio import activity

from activities import tensor_file
from activities.learning_ports import LargeArtifacts
from activities.tensor_file import Place
from activities.update_file import KEY, WHAT
from domain.artifact import ArtifactRef
from domain.learning.events import Report
from domain.learning.tensors import Schema
from domain.refusal import Refusal

_SPAN = 1 << 20


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
        """Numbers `start` up to `stop` of the flattened `tensor`: clients x numbers."""
        found = np.empty((len(self._files), stop - start))
        for row, (_, content, places) in enumerate(self._files):
            found[row] = places[tensor].view(content).reshape(-1)[start:stop]
        return found


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
            places = await asyncio.to_thread(_places, content, schema, report.client)
        except Refusal as refusal:
            _left_out(report, refusal)
            refused.append(report.client)
        else:
            files.append((report, content, places))
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
    that dropped out. What the bytes hide nobody can look at here; NaN in them has no meaning, since a method
    that hides works on whole numbers that its node made of finite ones.
    """
    found = {}
    for report in sorted(reports, key=lambda report: report.client):
        try:
            found[report.client] = await artifacts.mapped(ref_of(report))
        except Refusal as refusal:
            _left_out(report, refusal)
    return Stored(found)


def _left_out(report: Report, refusal: Refusal) -> None:
    activity.logger.warning("update.unusable", extra={"client": report.client, "why": str(refusal)})


def _places(content: memoryview, schema: Schema, client: str) -> Mapping[str, Place]:
    """By the tensor's own name; what the file says of itself is held against the schema and the report."""
    read = tensor_file.header(content, WHAT)
    if read.metadata.keys() != {KEY} or _whose(read.metadata[KEY]) != client:
        raise Refusal(WHAT, "has other metadata than an update, or another client's")
    wanted = {f"{spec.section}/{spec.name}": spec for spec in schema}
    if read.places.keys() != wanted.keys():
        raise Refusal(WHAT, "holds other tensors than the model")
    for name, spec in wanted.items():
        if (read.places[name].shape, read.places[name].dtype) != (spec.shape, spec.dtype):
            raise Refusal(WHAT, f"tensor '{spec.name}' is of another shape or type")
        _check_finite(read.places[name].view(content).reshape(-1), spec.name)
    return {spec.name: read.places[name] for name, spec in wanted.items()}


def _whose(text: str) -> object:
    try:
        return json.loads(text)["node_id"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _check_finite(numbers: NDArray[Any], tensor: str) -> None:
    """Part by part, since a mask of a whole model would be a quarter of one more in memory."""
    for start in range(0, numbers.size, _SPAN):
        if not np.isfinite(numbers[start : start + _SPAN]).all():
            raise Refusal(WHAT, f"tensor '{tensor}' holds NaN or an infinity")
