"""Merkle trees kept as tiles of 256 hashes, as C2SP tlog-tiles lays them out, growing at the right edge.

The tile `(level, index)` holds the roots of the perfect subtrees of 256^level leaves from number 256 * index
on. A full tile never changes again, so any proof of any past size needs a few tiles and never the log.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

from audit import merkle
from domain.refusal import Refusal

WIDTH = 256
_HEIGHT = 8  # a tile spans eight heights of the tree

Coordinate = tuple[int, int]
Tiles = Mapping[Coordinate, bytes]


def split_hashes(tile: bytes) -> list[bytes]:
    """The hashes of one stored tile."""
    step = merkle.HASH_BYTES
    return [tile[i : i + step] for i in range(0, len(tile), step)]


def tile_of(height: int, index: int) -> Coordinate:
    """Where the hashes below one node are stored."""
    level, rest = divmod(height, _HEIGHT)
    return level, (index << rest) // WIDTH


def tiles_for(ranges: Iterable[merkle.Range]) -> set[Coordinate]:
    """The tiles that have to be read to know the roots of `ranges`."""
    return {tile_of(*node) for span in ranges for node in merkle.covering(*span)}


def range_root(tiles: Tiles, span: merkle.Range) -> bytes:
    """The root over the leaves of one range.

    Raises:
        Refusal: a tile that it needs is missing or too short.
    """
    return merkle.fold_peaks([_node(tiles, *node) for node in merkle.covering(*span)])


def roots(tiles: Tiles, ranges: Iterable[merkle.Range]) -> list[bytes]:
    """The root of each range, in order: a proof's path."""
    return [range_root(tiles, span) for span in ranges]


def _node(tiles: Tiles, height: int, index: int) -> bytes:
    level, rest = divmod(height, _HEIGHT)
    where = tile_of(height, index)
    first = (index << rest) % WIDTH * merkle.HASH_BYTES
    found = tiles.get(where, b"")[first : first + (merkle.HASH_BYTES << rest)]
    if len(found) != merkle.HASH_BYTES << rest:
        raise Refusal("tile", f"level {level} number {where[1]} is missing or too short")
    return merkle.perfect_root(split_hashes(found))


def edge_of(size: int) -> list[Coordinate]:
    """The partly filled tiles at the right edge of a tree of `size` leaves: what is kept to grow it."""
    edge = []
    level, rest = 0, size
    while rest:
        if rest % WIDTH:
            edge.append((level, rest // WIDTH))
        level, rest = level + 1, rest // WIDTH
    return edge


class Tree:
    """A tree that grows; it holds only its right edge and hands out the tiles that changed.

    Raises:
        Refusal: an edge tile is missing or does not fit the size.
    """

    def __init__(self, size: int = 0, tiles: Tiles | None = None) -> None:
        self.size = size
        self._edge: list[list[bytes]] = []
        self._peaks: list[dict[merkle.Range, bytes]] = []
        self._full: dict[Coordinate, bytes] = {}
        self._touched: set[int] = set()
        for level, index in edge_of(size):
            width = (size >> _HEIGHT * level) % WIDTH
            held = split_hashes((tiles or {}).get((level, index), b""))
            if len(held) < width:
                raise Refusal("tile", f"level {level} number {index} holds {len(held)} of {width} hashes")
            self._level(level).extend(held[:width])

    def append(self, values: Sequence[bytes]) -> list[bytes]:
        """Add raw leaves at the right edge; their leaf hashes in order."""
        hashes = [sha256(b"\0" + value).digest() for value in values]
        self.extend(hashes)
        return hashes

    def extend(self, hashes: Sequence[bytes]) -> None:
        """Add leaves by their hashes alone."""
        self._extend(0, self.size, hashes)
        self.size += len(hashes)

    def copy(self) -> "Tree":
        """Another tree of the same leaves; what changed so far stays with this one."""
        other = Tree()
        other.size = self.size
        other._edge = [list(row) for row in self._edge]
        other._peaks = [dict(row) for row in self._peaks]
        return other

    def root(self) -> bytes:
        """The root over all leaves so far."""
        peaks: list[bytes] = []
        for level in range(len(self._edge) - 1, -1, -1):
            peaks += [self._peak(level, span) for span in _binary(len(self._edge[level]))]
        return merkle.fold_peaks(peaks)

    def take_changed(self) -> dict[Coordinate, bytes]:
        """Every tile that changed since the last call, the partial ones at the edge included."""
        changed = self._full
        for level in self._touched:
            if self._edge[level]:
                changed[level, self.size >> _HEIGHT * (level + 1)] = b"".join(self._edge[level])
        self._full, self._touched = {}, set()
        return changed

    def _extend(self, level: int, before: int, hashes: Sequence[bytes]) -> None:
        """`before` counts the entries of this level that were there."""
        edge = self._level(level)
        edge += hashes
        self._touched.add(level)
        full = len(edge) // WIDTH
        if not full:
            return
        parents = []
        for n in range(full):
            tile = edge[n * WIDTH : (n + 1) * WIDTH]
            self._full[level, before // WIDTH + n] = b"".join(tile)
            parents.append(merkle.perfect_root(tile))
        del edge[: full * WIDTH]
        self._peaks[level].clear()
        self._extend(level + 1, before // WIDTH, parents)

    def _level(self, level: int) -> list[bytes]:
        while len(self._edge) <= level:
            self._edge.append([])
            self._peaks.append({})
        return self._edge[level]

    def _peak(self, level: int, span: merkle.Range) -> bytes:
        """Kept while the tile is open, so that sealing often costs little."""
        known = self._peaks[level]
        if span not in known:
            known[span] = merkle.perfect_root(self._edge[level][span[0] : span[1]])
        return known[span]


def _binary(width: int) -> list[merkle.Range]:
    return [(index << height, (index + 1) << height) for height, index in merkle.covering(0, width)]
