"""Merkle trees at a million leaves: leaves appended a second, and one proof made from tiles and checked.

The floor of the same run is one SHA-256 of a leaf and one of a node for every leaf, and nothing else; both
are the median of interleaved runs.
"""

import hashlib
import os
import statistics
import time
from collections.abc import Callable
from random import Random

from audit import merkle, tiles
from bench.figure import Figure

LEAVES = 1_000_000
BATCH = 2_000
LEAF_BYTES = 450
PROOFS = 300
ROUNDS = 3


def _leaves() -> list[bytes]:
    """Distinct values of the size of an event; the bytes themselves do not matter to SHA-256."""
    body = os.urandom(LEAF_BYTES - 8)
    return [i.to_bytes(8, "big") + body for i in range(LEAVES)]


def _floor(leaves: list[bytes]) -> float:
    sha256, node = hashlib.sha256, bytes(65)
    start = time.perf_counter()
    for value in leaves:
        sha256(b"\0" + value).digest()
        sha256(node).digest()
    return len(leaves) / (time.perf_counter() - start)


def _append(leaves: list[bytes]) -> tuple[float, tiles.Tree, dict[tiles.Coordinate, bytes]]:
    """As the sealer does: in batches, with the changed tiles taken and the root known after each."""
    tree, stored = tiles.Tree(), {}
    start = time.perf_counter()
    for i in range(0, len(leaves), BATCH):
        tree.append(leaves[i : i + BATCH])
        stored |= tree.take_changed()
        tree.root()
    return len(leaves) / (time.perf_counter() - start), tree, stored


def _each(work: Callable[[int], object], indices: list[int]) -> float:
    """The median, in milliseconds."""
    took = []
    for index in indices:
        start = time.perf_counter()
        work(index)
        took.append((time.perf_counter() - start) * 1000)
    return statistics.median(took)


def figures() -> list[Figure]:
    """What is asked: 200,000 leaves a second; under 5 ms each to prove and to check."""
    leaves = _leaves()
    rounds = [(_floor(leaves), _append(leaves)) for _ in range(ROUNDS)]
    floor, rate = (statistics.median(found) for found in ([f for f, _ in rounds], [a[0] for _, a in rounds]))
    _, tree, stored = rounds[-1][1]
    root, indices = tree.root(), [Random(1).randrange(LEAVES) for _ in range(PROOFS)]  # noqa: S311 # no secret
    read: set[int] = set()

    def prove(index: int) -> list[bytes]:
        ranges = merkle.inclusion_ranges(index, LEAVES)
        wanted = tiles.tiles_for(ranges)
        read.add(len(wanted))
        return tiles.roots({where: stored[where] for where in wanted}, ranges)

    def check(index: int) -> None:
        if merkle.root_from_path(merkle.leaf_hash(leaves[index]), index, LEAVES, paths[index]) != root:
            raise AssertionError(index)

    proving = _each(prove, indices)
    paths = {index: prove(index) for index in indices}
    checking = _each(check, indices)
    return [
        Figure("append", rate, "leaves/s", 200_000, note=f"{rate / floor:.2f} of bare SHA-256 in this run"),
        Figure("bare SHA-256, floor", floor, "leaves/s"),
        Figure(
            "prove one of 1,000,000",
            proving,
            "ms",
            5,
            "<=",
            note=f"median; from {max(read)} tiles of 8 KiB in memory",
        ),
        Figure("check it", checking, "ms", 5, "<=", note="median"),
    ]
