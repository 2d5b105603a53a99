"""Where a version comes from: the whole in an artifact, its digests on the log."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class LineageDigests:
    """SHA-256 (hex) of each part of a lineage; `code` and `data_schema` as the cycle's opening has them."""

    cohort: str
    updates: str
    policy: str
    code: str
    data_schema: str


@dataclass(frozen=True, slots=True)
class Lineage:
    """What a version was made of.

    `parents`: version names, none for a fresh model. `cohort`: every client that had a part, sorted.
    `updates`: the digests that entered, by round, each round's sorted. `policy`: the cycle's request.
    """

    cycle: str
    parents: tuple[str, ...]
    cohort: tuple[str, ...]
    updates: tuple[tuple[str, ...], ...]
    policy: Mapping[str, Any]
    code: str
    data_schema: str

    def document(self) -> bytes:
        """The artifact: canonical JSON (sorted keys, no spaces, UTF-8)."""
        return _canonical(asdict(self))

    def digests(self) -> LineageDigests:
        """What the event says of it."""
        cohort, updates, policy = _digest(self.cohort), _digest(self.updates), _digest(self.policy)
        return LineageDigests(cohort, updates, policy, self.code, self.data_schema)


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _digest(value: object) -> str:
    return hashlib.sha256(_canonical(value)).hexdigest()
