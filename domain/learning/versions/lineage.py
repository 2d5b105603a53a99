"""Where a version comes from: the whole in an artifact, its digests on the log."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LineageDigests:
    """SHA-256 (hex) of each part of a lineage; the parent's name stands beside.

    `cohort`: of the names of all whose updates went in, sorted, with a line end after each. `updates`:
    chained over the rounds, of the one before and of what entered. `policy`: of the cycle's request as JSON.
    `code`: of the trainer's source. `data_schema`: of the names and types of rows.
    """

    cohort: str
    updates: str
    policy: str
    code: str
    data_schema: str


def digest_of(names: Iterable[str]) -> str:
    """SHA-256 (hex) over `names`, sorted, with a line end after each."""
    return hashlib.sha256("".join(f"{name}\n" for name in sorted(names)).encode()).hexdigest()
