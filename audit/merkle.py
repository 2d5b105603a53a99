"""Merkle trees as RFC 6962 hashes them: which ranges a proof is made of, and how a proof is checked.

Sizes and indices count leaves from 0; a hash is 32 bytes of SHA-256; a range is `(start, end)`, end excluded.
"""

from collections.abc import Sequence
from hashlib import sha256

from domain.refusal import Refusal

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()

Range = tuple[int, int]


def leaf_hash(value: bytes) -> bytes:
    """RFC 6962, 2.1: SHA-256 of 0x00 and the leaf; the prefix keeps a leaf from posing as a node."""
    return sha256(b"\0" + value).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962, 2.1: SHA-256 of 0x01 and both children."""
    return sha256(b"\1" + left + right).digest()


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """The root over `hashes`, whose number is a power of two."""
    row = hashes
    while len(row) > 1:
        row = [sha256(b"\1" + row[i] + row[i + 1]).digest() for i in range(0, len(row), 2)]
    return row[0]


def fold_peaks(peaks: Sequence[bytes]) -> bytes:
    """The root over perfect subtrees of falling size, given from left to right."""
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def covering(start: int, end: int) -> list[tuple[int, int]]:
    """The perfect subtrees, as `(height, index at that height)`, that make up one subtree's range."""
    nodes = []
    while start < end:
        height = (end - start).bit_length() - 1
        nodes.append((height, start >> height))
        start += 1 << height
    return nodes


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """RFC 6962, 2.1.1: the ranges whose roots are the audit path of a leaf, from leaf to root.

    Raises:
        Refusal: the tree of `size` leaves has no leaf `index`.
    """
    if not 0 <= index < size:
        raise Refusal("index", f"leaf {index} is not in a tree of {size} leaves")
    low, high = 0, size
    found = []
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            found.append((middle, high))
            high = middle
        else:
            found.append((low, middle))
            low = middle
    return found[::-1]


def root_from_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root of the tree in which the leaf hash `leaf` stands at `index` beside `path`.

    Raises:
        Refusal: the path has not the one length that this index and size ask for.
    """
    ranges = inclusion_ranges(index, size)
    if len(ranges) != len(path):
        raise Refusal(
            "proof", f"leaf {index} of {size} needs a path of {len(ranges)} hashes, not {len(path)}"
        )
    root = leaf
    for (start, _), sibling in zip(ranges, path, strict=True):
        root = node_hash(root, sibling) if start > index else node_hash(sibling, root)
    return root


def _split(count: int) -> int:
    """The largest power of two smaller than `count`."""
    return 1 << (count - 1).bit_length() - 1
