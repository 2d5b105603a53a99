"""Named arrays as bytes and back: the safetensors format, strictly, so that one model has one file.

Eight bytes, the little-endian length of a JSON header, the header, then every array's bytes without a gap
(https://github.com/huggingface/safetensors#format). The package of that name writes metadata in no certain
order, and an artifact goes by its digest: what is written here depends on what it holds alone.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from domain import strict_json
from domain.learning.tensors import Array, Tensors
from domain.refusal import Refusal
from domain.strict_json import printable

MAX_HEADER_BYTES = 10_000_000
METADATA = "__metadata__"
DTYPES = {
    "U64": "uint64",
    "I64": "int64",
    "F64": "float64",
    "F32": "float32",
    "U32": "uint32",
    "I32": "int32",
    "F16": "float16",
    "U16": "uint16",
    "I16": "int16",
    "I8": "int8",
    "U8": "uint8",
    "BOOL": "bool",
}
"""By stored name, in the order in which the package lays arrays into a file: the widest first, so that each
begins where its type may be read in place."""
_STORED = {name: stored for stored, name in DTYPES.items()}
_RANK = {name: rank for rank, name in enumerate(_STORED)}
_LENGTH_BYTES = 8
_FIELDS = frozenset({"dtype", "shape", "data_offsets"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where an array lies in its file: bytes `start` up to `stop`, counted from the file's first."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Head:
    """What a file says it holds; `size` is its whole length in bytes, header and arrays."""

    places: Mapping[str, Place]
    metadata: Mapping[str, str]
    size: int


def write(tensors: Tensors, metadata: Mapping[str, str] | None = None) -> bytes:
    """The same bytes for the same arrays and metadata, whatever order they come in.

    Raises:
        Refusal: an array's type has no place in the format, or a name is the one that metadata has.
    """
    header: dict[str, Any] = {METADATA: dict(sorted(metadata.items()))} if metadata else {}
    parts, at = [], 0
    for name in sorted(tensors):
        if name == METADATA or tensors[name].dtype.name not in _STORED:
            raise Refusal("tensor", f"'{printable(name, 60)}' ({tensors[name].dtype}) has no place in a file")
    for name in sorted(tensors, key=lambda name: (_RANK[tensors[name].dtype.name], name)):
        array = tensors[name]
        part = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
        header[name] = {
            "dtype": _STORED[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [at, at + len(part)],
        }
        at += len(part)
        parts.append(part)
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % _LENGTH_BYTES)
    return b"".join([len(text).to_bytes(_LENGTH_BYTES, "little"), text, *parts])


def header_size(first: bytes) -> int:
    """How many bytes the header takes with its length, by the file's first eight: to read no more of it.

    Raises:
        Refusal: it is cut short, or the header is longer than 10 MB.
    """
    length = int.from_bytes(first[:_LENGTH_BYTES], "little")
    if len(first) < _LENGTH_BYTES or length > MAX_HEADER_BYTES:
        raise Refusal("tensors", f"is no safetensors file: {len(first)} bytes, a header of {length}")
    return _LENGTH_BYTES + length


def head(content: bytes) -> Head:
    """What the file says it holds, by its first `header_size` bytes at least.

    Raises:
        Refusal: the header is not JSON, names a type that is not known here, or arrays that overlap, leave a
            gap or have another length than their shape.
    """
    begin = header_size(content)
    if len(content) < begin:
        raise Refusal("tensors", "is cut short within its header")
    told = strict_json.parse(content[_LENGTH_BYTES:begin], what="tensors", limit=MAX_HEADER_BYTES)
    if not isinstance(told, dict):
        raise Refusal("tensors", "has a header that is no JSON object")
    metadata = told.pop(METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise Refusal("tensors", "has metadata that is not text by name")
    places = {name: _place(name, entry, begin) for name, entry in told.items()}
    at = begin
    for name, place in sorted(places.items(), key=lambda item: (item[1].start, item[1].stop)):
        if place.start != at:
            raise Refusal("tensors", f"'{printable(name, 60)}' begins at byte {place.start}, not {at}")
        at = place.stop
    return Head(dict(sorted(places.items())), metadata, at)


def read(content: bytes) -> Tensors:
    """The arrays by name, in the order of names, as views that cannot be written to.

    Raises:
        Refusal: as `head`, or the file has not the length that its header says.
    """
    found = head(content)
    if len(content) != found.size:
        raise Refusal("tensors", f"has {len(content)} bytes, its header says {found.size}")
    return {name: array(content, place) for name, place in found.places.items()}


def array(content: bytes, place: Place) -> Array:
    """The array at `place` of a whole file; the caller has checked the file's length."""
    count = math.prod(place.shape)
    flat = np.frombuffer(content, place.dtype, count, place.start) if count else np.empty(0, place.dtype)
    shaped = flat.reshape(place.shape)
    shaped.flags.writeable = False
    return shaped


def _place(name: str, entry: Any, begin: int) -> Place:
    shown = printable(name, 60)
    if not isinstance(entry, dict) or entry.keys() != _FIELDS:
        raise Refusal("tensors", f"'{shown}' is not described by dtype, shape and data_offsets")
    stored, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(stored, str) or stored not in DTYPES:
        raise Refusal("tensors", f"'{shown}' is of none of the types {', '.join(DTYPES)}")
    if not _counts(shape) or not _counts(offsets) or len(offsets) != 2:  # noqa: PLR2004 # begin and end
        raise Refusal("tensors", f"'{shown}' has a shape or offsets that are no counts")
    dtype = np.dtype(DTYPES[stored]).newbyteorder("<")
    if offsets[1] - offsets[0] != math.prod(shape) * dtype.itemsize:
        raise Refusal("tensors", f"'{shown}' takes {offsets[1] - offsets[0]} bytes, its shape {shape} others")
    return Place(dtype, tuple(shape), begin + offsets[0], begin + offsets[1])


def _counts(value: Any) -> bool:
    return isinstance(value, list) and all(type(each) is int and each >= 0 for each in value)
