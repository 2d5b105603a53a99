"""What a sum of hidden updates leaves behind, so that the model can be made again from the sum at least.

The model's change gives the sum away in any case (its mean, by the strategy's step), so that keeping it tells
nobody more than the model does; no update, mask, key or noise is in it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from domain import strict_json
from domain.learning import tensor_file
from domain.learning.tensors import Tensors
from domain.refusal import Refusal

_KEY = "sum"


@dataclass(frozen=True, slots=True)
class Evidence:
    """The sum of weight * change over the clients that entered, and of their weights.

    `total`: float64, by the names that go over the wire, with the noise in it where the method adds some.
    `updates`: by client the SHA-256 of its protected update, as it was reported.
    """

    method: str
    total: Tensors
    weight: float
    updates: Mapping[str, str]


def write(evidence: Evidence) -> bytes:
    """A file of tensors; the same evidence gives the same bytes."""
    said = {"method": evidence.method, "updates": dict(evidence.updates), "weight": float(evidence.weight)}
    text = json.dumps(said, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    total = {name: np.asarray(array, np.float64) for name, array in evidence.total.items()}
    return tensor_file.encode(total, {_KEY: text})


def read(content: bytes) -> Evidence:
    """Of a file.

    Raises:
        Refusal: it is none of evidence.
    """
    total, metadata = tensor_file.decode(content, "evidence")
    if metadata.keys() != {_KEY}:
        raise Refusal("evidence", "is no file of a sum")
    said = strict_json.parse(metadata[_KEY], what="evidence", limit=tensor_file.MAX_HEADER)
    match said:
        case {"method": str(method), "updates": dict(updates), "weight": int() | float() as weight} if (
            len(said) == 3 and all(isinstance(one, str) for one in updates.values())  # noqa: PLR2004 # those three
        ):
            return Evidence(method, total, float(weight), updates)
        case _:
            raise Refusal("evidence", "does not say method, weight and updates")
