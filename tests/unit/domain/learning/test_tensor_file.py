"""Files of named arrays, held against the safetensors package; what is damaged is refused by name."""

import json

import numpy as np
import pytest
from hypothesis import given as forall
from hypothesis import strategies as st
from safetensors.numpy import load, save

from domain.learning.tensor_file import DTYPES, MAX_HEADER_BYTES, head, header_size, read, write
from domain.refusal import Refusal
from tests.unit.drawing import examples

SHAPES = st.lists(st.integers(0, 3), max_size=3).map(tuple)
NAMES = st.text("abz/_é", min_size=1, max_size=6)
KINDS = sorted(DTYPES.values())
DRAWN = st.dictionaries(NAMES, st.tuples(SHAPES, st.sampled_from(KINDS)), max_size=4)


def made(drawn):
    return {name: np.ones(shape, kind) for name, (shape, kind) in drawn.items()}


def same(one, other):
    assert sorted(one) == sorted(other)
    for name in one:
        assert (one[name].dtype, one[name].shape) == (other[name].dtype, other[name].shape)
        assert one[name].tobytes() == other[name].tobytes()


@examples(40)
@forall(DRAWN)
def test_the_package_reads_what_is_written_here_and_writes_what_is_read_here(drawn):
    tensors = made(drawn)
    same(load(write(tensors, {"made": "here"})), tensors)
    same(read(save(tensors)), tensors)
    assert write(tensors) == save(tensors), "also to the byte, where there is no metadata"


def test_the_same_arrays_give_the_same_bytes_in_whatever_order_they_come():
    one = {"b": np.float32([1, 2]), "a": np.float64([[3]])}
    two = dict(reversed(one.items()))
    assert write(one, {"x": "1", "y": "2"}) == write(two, {"y": "2", "x": "1"})


def test_a_file_keeps_its_metadata_and_says_where_each_array_lies():
    content = write({"w": np.float32([1, 2, 3]), "b": np.float64(7)}, {"update": '{"node":"é"}'})
    found = head(content[: header_size(content[:8])])
    assert found.metadata == {"update": '{"node":"é"}'}
    assert found.size == len(content)
    place = found.places["w"]
    assert np.frombuffer(content[place.start : place.stop], place.dtype).tolist() == [1, 2, 3]
    assert read(content)["b"].shape == ()


def test_what_is_read_cannot_be_written_to_and_byte_order_is_the_formats():
    big = np.array([1, 2], ">f4")
    content = write({"w": big, "none": np.zeros((0, 2), "int64")})
    found = read(content)
    assert found["w"].tolist() == [1, 2]
    with pytest.raises(ValueError, match="read-only"):
        found["w"][0] = 9


def file(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


W = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
DAMAGED = {
    "cut before the header": (b"\1\0", "is no safetensors file"),
    "a header past all bounds": ((MAX_HEADER_BYTES + 1).to_bytes(8, "little"), "is no safetensors file"),
    "cut within the header": (file({"w": W})[:12], "cut short within its header"),
    "no JSON": (file(b"{w}"), "is not JSON"),
    "a list": (file([]), "no JSON object"),
    "metadata of numbers": (file({"__metadata__": {"a": 1}}), "not text by name"),
    "metadata of a list": (file({"__metadata__": []}), "not text by name"),
    "a name twice": (file(b'{"w":{},"w":{}}'), "twice"),
    "a field too many": (file({"w": {**W, "x": 1}}), "is not described by"),
    "a description of text": (file({"w": "F32"}), "is not described by"),
    "an unknown type": (file({"w": {**W, "dtype": "F4"}}), "is of none of the types"),
    "a type of a number": (file({"w": {**W, "dtype": 4}}), "is of none of the types"),
    "a negative shape": (file({"w": {**W, "shape": [-2]}}), "that are no counts"),
    "a shape of truth": (file({"w": {**W, "shape": [True]}}), "that are no counts"),
    "one offset": (file({"w": {**W, "data_offsets": [0]}}), "that are no counts"),
    "offsets of text": (file({"w": {**W, "data_offsets": "08"}}), "that are no counts"),
    "another length": (file({"w": {**W, "shape": [3]}}, b"\0" * 8), "takes 8 bytes"),
    "a gap": (file({"w": {**W, "data_offsets": [4, 12]}}, b"\0" * 12), "begins at byte"),
    "an overlap": (file({"v": W, "w": W}, b"\0" * 8), "begins at byte"),
    "cut within the arrays": (file({"w": W}, b"\0" * 7), "its header says"),
    "bytes behind the arrays": (file({"w": W}, b"\0" * 9), "its header says"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_refused_by_what_is_wrong(name):
    content, line = DAMAGED[name]
    with pytest.raises(Refusal, match=line):
        read(content)


@pytest.mark.parametrize("tensors", [{"w": np.array([1j])}, {"__metadata__": np.zeros(1)}])
def test_what_the_format_cannot_hold_is_refused(tensors):
    with pytest.raises(Refusal, match="has no place in a file"):
        write(tensors)
