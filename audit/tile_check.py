"""The stored tiles above the leaves, and the offsets they name, held against the log's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from audit.finding import Finding
from audit.merkle import HASH_BYTES
from audit.seal import leaf_spans
from audit.tiles import WIDTH, Coordinate, Tree
from projections.merkle import LeafTile


@dataclass(slots=True)
class TileCheck:
    """Takes what a growing tree stores, and the offsets of the records that it grew by."""

    _upper: dict[Coordinate, bytes] = field(default_factory=dict)
    _spans: dict[int, tuple[int, int]] = field(default_factory=dict)  # of each tile of level 0
    _size: int = 0

    def grown(self, tree: Tree, offsets: Sequence[int]) -> None:
        """Note what changed since the last call."""
        for tile, (first, last) in leaf_spans(self._size, offsets).items():
            self._spans[tile] = (self._spans.get(tile, (first, last))[0], last)
        self._upper |= {where: packed for where, packed in tree.take_changed().items() if where[0]}
        self._size = tree.size

    def findings(
        self, name: str, upper: Mapping[Coordinate, bytes], leaves: Sequence[LeafTile]
    ) -> list[Finding]:
        """What is stored otherwise. The stored tree may be smaller: the log goes on."""
        stored = leaves[-1].end if leaves else 0
        size = min(stored, self._size)
        wrong = [
            f"tile {tile} of level {level} is not the log's"
            for (level, tile), packed in self._upper.items()
            if (due := _due(size, level, tile)) and upper.get((level, tile), b"")[:due] != packed[:due]
        ]
        wrong += [
            f"tile {leaf.tile} of level 0 names other offsets than the log has"
            for leaf in leaves
            if leaf.end <= size and not self._is_span_of(leaf)
        ]
        if stored <= self._size:  # else the log went on while it was read
            wrong += [f"tile {n} of level {level} is none" for level, n in upper if not _due(size, level, n)]
        return [Finding(f"merkle_tile {name}", problem) for problem in wrong]

    def _is_span_of(self, leaf: LeafTile) -> bool:
        first, last = self._spans[leaf.tile]
        width = min(WIDTH, self._size - leaf.tile * WIDTH)
        if leaf.leaves == width:
            return (leaf.first_offset, leaf.last_offset) == (first, last)
        gaps = last - first - (width - 1)  # of a tile that has grown since it was stored
        reach = leaf.last_offset - leaf.first_offset - (leaf.leaves - 1)
        return leaf.first_offset == first and 0 <= reach <= gaps


def _due(size: int, level: int, tile: int) -> int:
    """How many bytes a tile holds in a tree of `size` leaves."""
    return min(max((size >> 8 * level) - tile * WIDTH, 0), WIDTH) * HASH_BYTES
