"""Named arrays as bytes in the safetensors format, read strictly and written the same way every time.

The format: eight bytes with the length of a JSON header (little-endian), the header with each tensor's dtype,
shape and place, then the numbers. Specification: https://github.com/huggingface/safetensors (README, Format).
The package of that name writes metadata in no certain order, and an artifact goes by its digest: what is
written here depends on what it holds alone.
"""

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from domain.learning.tensors import Array, Tensors
from domain.refusal import Refusal
from domain.strict_json import parse, printable

MAX_HEADER = 10_000_000
MAX_DIMENSIONS = 32
"""As many as any numpy has."""
METADATA = "__metadata__"
FLOATS = frozenset({"float32", "float64"})
ROWS = FLOATS | {"int64", "int32", "uint8", "bool"}
"""What rows of a data set may be, beside floats; never what an update may be."""
_CODES = {"int64": "I64", "float64": "F64", "float32": "F32", "int32": "I32", "uint8": "U8", "bool": "BOOL"}
"""In the order in which the package lays arrays into a file: the widest first, so that each is aligned."""
_DTYPES = {code: name for name, code in _CODES.items()}
_RANK = {name: rank for rank, name in enumerate(_CODES)}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tensor's numbers are in the file, in bytes from its beginning."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int

    def view(self, content: memoryview) -> Array:
        """The tensor over the file's own bytes: nothing is copied, and it cannot be written."""
        flat = np.frombuffer(content[self.start : self.stop], np.dtype(self.dtype).newbyteorder("<"))
        return flat.reshape(self.shape)


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of itself."""

    places: Mapping[str, Place]
    metadata: Mapping[str, str]


def encode(tensors: Tensors, metadata: Mapping[str, str] | None = None) -> bytes:
    """The file; the same tensors and metadata give the same bytes, in whatever order they come.

    Raises:
        Refusal: a name or a dtype that such a file does not hold, or a number that is none.
    """
    for name, array in sorted(tensors.items()):
        if name == METADATA or array.dtype.name not in _CODES:
            raise Refusal("tensors", f"'{printable(name, 60)}' ({array.dtype.name}) has no place in a file")
        _check_finite(name, array)
    heads: dict[str, Any] = {METADATA: dict(sorted(metadata.items()))} if metadata else {}
    parts: list[Any] = []
    at = 0
    for name in sorted(tensors, key=lambda one: (_RANK[tensors[one].dtype.name], one)):
        array = tensors[name]
        place = [at, at + array.nbytes]
        heads[name] = {"dtype": _CODES[array.dtype.name], "shape": list(array.shape), "data_offsets": place}
        stored = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        parts.append(stored.data.cast("B") if array.size else b"")
        at += array.nbytes
    head = json.dumps(heads, separators=(",", ":"), ensure_ascii=False).encode()
    head += b" " * (-len(head) % 8)
    return b"".join([len(head).to_bytes(8, "little"), head, *parts])


def header(content: memoryview, what: str = "file", dtypes: Collection[str] = FLOATS) -> Header:
    """What the file says of itself, held against its length; no number is looked at.

    Raises:
        Refusal: it is no such file, an unknown key stands in it, a dtype is none of `dtypes`, or its places
            overlap, leave a gap, or do not fit the shapes.
    """
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or length > min(MAX_HEADER, len(content) - 8):  # noqa: PLR2004 # the length itself
        raise Refusal(what, "is not a safetensors file")
    heads = parse(bytes(content[8 : 8 + length]), what=what, limit=MAX_HEADER)
    if not isinstance(heads, dict):
        raise Refusal(what, "has no header of named tensors")
    metadata = heads.pop(METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise Refusal(what, "has metadata that is not text by name")
    places = {name: _place(name, said, 8 + length, what, dtypes) for name, said in heads.items()}
    _check_places(places, 8 + length, len(content), what)
    return Header(places, metadata)


def decode(
    content: bytes | memoryview, what: str = "file", dtypes: Collection[str] = FLOATS
) -> tuple[dict[str, Array], Mapping[str, str]]:
    """The tensors, over the bytes that were given, and the metadata.

    Raises:
        Refusal: as `header`, or a number is NaN or an infinity.
    """
    view = memoryview(content)
    read = header(view, what, dtypes)
    tensors = {name: place.view(view) for name, place in sorted(read.places.items())}
    for name, array in tensors.items():
        _check_finite(name, array, what)
    return tensors, read.metadata


def _place(name: str, said: Any, begin: int, what: str, dtypes: Collection[str]) -> Place:
    shown = printable(name, 60)
    if not isinstance(said, dict) or said.keys() != {"dtype", "shape", "data_offsets"}:
        raise Refusal(what, f"says of '{shown}' other things than dtype, shape and data_offsets")
    dtype = _DTYPES.get(said["dtype"], said["dtype"]) if isinstance(said["dtype"], str) else "of no type"
    if dtype not in dtypes:
        raise Refusal(what, f"tensor '{shown}' is {printable(dtype, 20)}, not {_known(dtypes)}")
    shape, offsets = said["shape"], said["data_offsets"]
    if not _counts(shape) or not _counts(offsets) or len(offsets) != 2:  # noqa: PLR2004 # from, to
        raise Refusal(what, f"tensor '{shown}' has a shape or a place that is none")
    if len(shape) > MAX_DIMENSIONS:
        raise Refusal(what, f"tensor '{shown}' has {len(shape):,} dimensions, at most {MAX_DIMENSIONS}")
    if offsets[1] - offsets[0] != math.prod(shape) * np.dtype(dtype).itemsize:
        raise Refusal(what, f"tensor '{shown}' has another length than its shape")
    return Place(dtype, tuple(shape), begin + offsets[0], begin + offsets[1])


def _counts(value: Any) -> bool:
    return isinstance(value, list) and all(type(item) is int and 0 <= item < 1 << 40 for item in value)


def _check_places(places: Mapping[str, Place], begin: int, end: int, what: str) -> None:
    at = begin
    for place in sorted(places.values(), key=lambda place: (place.start, place.stop)):
        if place.start != at:
            raise Refusal(what, "has bytes that belong to no tensor, or to two")
        at = place.stop
    if at != end:
        raise Refusal(what, "is cut off, or goes on after its last tensor")


def _check_finite(name: str, array: Array, what: str = "tensors") -> None:
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise Refusal(what, f"tensor '{printable(name, 60)}' holds NaN or an infinity")


def _known(dtypes: Collection[str]) -> str:
    return " or ".join(sorted(dtypes))
