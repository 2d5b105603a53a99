"""The updates of a round over their files: read block by block, so that no model is loaded for it."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from domain.learning import tensor_file
from domain.learning.events import Report
from domain.learning.tensor_file import Place
from domain.learning.tensors import Schema
from domain.refusal import Refusal

KEY = "update"
"""The one metadata key of an update's file: canonical JSON of `node_id` and `metadata`."""
_WHAT = "update"


class StoredUpdates:
    """`domain.learning.strategy.Updates`, in the order of the clients' ids."""

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
            raise Refusal(_WHAT, f"of {self.clients[int(bad)]}: tensor '{tensor}' holds NaN or an infinity")
        return found


def places(content: memoryview, schema: Schema) -> tuple[str, Mapping[str, Place]]:
    """Where each tensor lies, by its own name; what the file says of itself is held against the schema.

    Raises:
        Refusal: the file holds anything else than an update of the schema; no number is looked at.
    """
    read = tensor_file.header(content, _WHAT)
    if read.metadata.keys() != {KEY}:
        raise Refusal(_WHAT, "has other metadata than an update")
    wanted = {f"{spec.section}/{spec.name}": spec for spec in schema}
    if read.places.keys() != wanted.keys():
        raise Refusal(_WHAT, "holds other tensors than the model")
    for name, spec in wanted.items():
        if (read.places[name].shape, read.places[name].dtype) != (spec.shape, spec.dtype):
            raise Refusal(_WHAT, f"tensor '{spec.name}' is of another shape or type")
    return read.metadata[KEY], {spec.name: read.places[name] for name, spec in wanted.items()}
