"""The stored updates of a round as strategies read them, and those whose file is none of an update."""

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.learning_artifacts import Artifacts, content
from domain.artifact import ArtifactRef
from domain.learning import tensor_file
from domain.learning.events import Report
from domain.learning.tensor_file import Place
from domain.learning.tensors import Schema
from domain.refusal import Refusal

_SAID = "update"


@dataclass(frozen=True, slots=True)
class _File:
    report: Report
    content: bytes
    places: Mapping[str, Place]


class Stored:
    """`domain.learning.strategy.Updates` over the files, in the order of the clients' ids."""

    def __init__(self, files: Sequence[_File]) -> None:
        self._files = sorted(files, key=lambda file: file.report.client)

    @property
    def clients(self) -> Sequence[str]:
        return [file.report.client for file in self._files]

    @property
    def samples(self) -> Sequence[int]:
        return [file.report.samples for file in self._files]

    @property
    def steps(self) -> Sequence[int]:
        return [file.report.steps for file in self._files]

    @property
    def losses(self) -> Sequence[float]:
        """Of the model that each was given.

        Raises:
            Refusal: one is not on the record.
        """
        known = [file.report.loss for file in self._files if file.report.loss is not None]
        if len(known) != len(self._files):
            raise Refusal("loss", "the rule weighs clients by their loss, and one is not on the record")
        return known

    @property
    def groups(self) -> Sequence[int]:
        return [file.report.group for file in self._files]

    def block(self, tensor: str, start: int, stop: int) -> NDArray[np.float64]:
        """Numbers `start` up to `stop` of the flattened `tensor`: clients x numbers."""
        block = np.empty((len(self._files), stop - start))
        for row, file in zip(block, self._files, strict=True):
            place = file.places[tensor]
            row[:] = np.frombuffer(
                file.content, place.dtype, stop - start, place.start + start * place.dtype.itemsize
            )
        return block


async def stored(
    artifacts: Artifacts, reports: Sequence[Report], schema: Schema, left_out: Collection[str] = ()
) -> tuple[Stored, tuple[str, ...]]:
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
            raw = await content(artifacts, ArtifactRef("", report.sha256, report.bytes), what)
        except Refusal:
            if report.client not in left_out:
                raise
            broken.append(report.client)
            continue
        try:
            places, said = _read(raw, schema)
        except Refusal:
            broken.append(report.client)
            continue
        if said != report.client:
            if report.client not in left_out:
                raise Refusal(what, f"its file {report.sha256[:12]} says that it is another client's")
            broken.append(report.client)
            continue
        files.append(_File(report, raw, places))
    return Stored(files), tuple(broken)


def _read(raw: bytes, schema: Schema) -> tuple[Mapping[str, Place], str]:
    """Where each tensor lies, and whose update the file says it is."""
    head = tensor_file.head(raw)
    wanted = {f"{spec.section}/{spec.name}": spec for spec in schema}
    if head.size != len(raw) or head.metadata.keys() != {_SAID} or head.places.keys() != wanted.keys():
        raise Refusal("update", "holds other than the model's tensors")
    for name, spec in wanted.items():
        place = head.places[name]
        if (place.shape, place.dtype.name) != (spec.shape, spec.dtype) or not _finite(raw, place):
            raise Refusal("update", f"tensor '{spec.name}' is of another shape or type, or not finite")
    try:
        said = json.loads(head.metadata[_SAID])["node_id"]
    except (ValueError, TypeError, KeyError):
        raise Refusal("update", "does not say whose it is") from None
    return {spec.name: head.places[name] for name, spec in wanted.items()}, str(said)


def _finite(raw: bytes, place: Place) -> bool:
    count = math.prod(place.shape)
    return not count or bool(np.isfinite(np.frombuffer(raw, place.dtype, count, place.start)).all())
