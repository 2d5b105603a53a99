"""What an audit reads of the artifact store: each by its digest, and named where it is not to be had."""

from typing import Protocol

from domain.artifact import ArtifactRef
from domain.learning import tensor_file
from domain.learning.tensors import Tensors
from domain.refusal import Refusal


class Artifacts(Protocol):
    """Large values under the digest of their bytes."""

    async def get(self, ref: ArtifactRef) -> bytes:
        """Read and check.

        Raises:
            Refusal: nothing lies under the digest, or other bytes do.
        """
        ...


class _Nowhere:
    async def get(self, ref: ArtifactRef) -> bytes:
        raise Refusal("sha256", f"no store was named to read the artifact {ref.sha256[:12]} from")


NOWHERE: Artifacts = _Nowhere()
"""For streams that rest on none."""


async def content(artifacts: Artifacts, ref: ArtifactRef, what: str) -> bytes:
    """The bytes.

    Raises:
        Refusal: `what` is missing or was changed.
    """
    try:
        return await artifacts.get(ref)
    except Refusal as refusal:
        raise Refusal(what, refusal.problem) from None


async def tensors(artifacts: Artifacts, ref: ArtifactRef, what: str) -> Tensors:
    """The arrays of a file.

    Raises:
        Refusal: as `content`, or it is no file of arrays.
    """
    try:
        return tensor_file.decode(await content(artifacts, ref, what), what)[0]
    except Refusal as refusal:
        raise Refusal(what, refusal.problem) from None
