"""Files of named arrays, held against the safetensors package; what does not belong is refused by name."""

import json

import numpy as np
import pytest
from hypothesis import given as forall
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from safetensors.numpy import load, save

from domain.learning.tensor_file import MAX_HEADER, ROWS, decode, encode, header
from domain.refusal import Refusal
from tests.unit.drawing import examples

NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8)
ROWS_OF = arrays.arrays(
    st.sampled_from(sorted(ROWS)),
    arrays.array_shapes(min_dims=0, min_side=0, max_side=3),
    elements={"allow_nan": False, "allow_infinity": False},
)
TENSORS = {
    "b": np.arange(6, dtype="f4").reshape(2, 3),
    "a": np.array([1.5, -2]),
    "empty": np.zeros((0, 4), "f4"),
}


def same(one, other):
    assert one.keys() == other.keys()
    for name in one:
        assert (one[name].dtype, one[name].shape) == (other[name].dtype, other[name].shape)
        assert one[name].tobytes() == other[name].tobytes()


@examples(40)
@forall(st.dictionaries(NAMES.filter(lambda name: name != "__metadata__"), ROWS_OF, max_size=4))
def test_the_package_reads_what_is_written_here_and_writes_what_is_read_here(tensors):
    same(load(encode(tensors, {"made": "here"})), tensors)
    same(decode(save(tensors), dtypes=ROWS)[0], tensors)
    assert encode(tensors) == save(tensors), "also to the byte, where there is no metadata"


def test_the_same_arrays_give_the_same_bytes_in_whatever_order_they_come():
    ordered = encode(TENSORS, {"x": "1", "y": "2"})
    assert ordered == encode(dict(reversed(TENSORS.items())), {"y": "2", "x": "1"})


def test_a_file_keeps_its_metadata_and_says_where_each_array_lies():
    content = encode(TENSORS, {"update": '{"node":"é"}'})
    found = header(memoryview(content))
    assert found.metadata == decode(content)[1] == {"update": '{"node":"é"}'}
    place = found.places["a"]
    assert np.frombuffer(content[place.start : place.stop], place.dtype).tolist() == [1.5, -2]


def test_what_is_read_cannot_be_written_to_and_byte_order_is_the_formats():
    found, _ = decode(encode({"w": np.array([1, 2], ">f4")}))
    assert found["w"].tolist() == [1, 2]
    with pytest.raises(ValueError, match="read-only"):
        found["w"][0] = 9


def file(said, data=b""):
    text = said if isinstance(said, bytes) else json.dumps(said).encode()
    return len(text).to_bytes(8, "little") + text + data


W = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
NAN = np.array([0, np.nan], "f4").tobytes()
BROKEN = {
    "empty": (b"", "is not a safetensors file"),
    "cut before the header": (b"\1\0", "is not a safetensors file"),
    "cut within the header": (file({"w": W})[:12], "is not a safetensors file"),
    "a header past all bounds": (
        (MAX_HEADER + 1).to_bytes(8, "little") + b"{}".ljust(MAX_HEADER + 1),
        "is not a safetensors file",
    ),
    "no JSON": (file(b"{w}"), "is not JSON"),
    "a list": (file([]), "no header of named tensors"),
    "metadata of numbers": (file({"__metadata__": {"a": 1}}), "metadata that is not text by name"),
    "metadata of a list": (file({"__metadata__": []}), "metadata that is not text by name"),
    "a name twice": (file(b'{"w":{},"w":{}}'), "twice"),
    "a field too many": (file({"w": {**W, "rows": [1]}}), "other things than dtype"),
    "a field too few": (file({"w": {"dtype": "F32", "shape": [2]}}), "other things than dtype"),
    "a description of text": (file({"w": "F32"}), "other things than dtype"),
    "whole numbers": (file({"w": {**W, "dtype": "I32"}}), "is int32, not float32 or float64"),
    "an unknown type": (file({"w": {**W, "dtype": "BF16"}}), "is BF16"),
    "a type of a number": (file({"w": {**W, "dtype": 4}}), "is of no type"),
    "a negative shape": (file({"w": {**W, "shape": [-2]}}), "a shape or a place"),
    "a shape of fractions": (file({"w": {**W, "shape": [2.0]}}), "a shape or a place"),
    "a shape of truth": (file({"w": {**W, "shape": [True]}}), "a shape or a place"),
    "more dimensions than an array has": (
        file({"w": {**W, "shape": [1] * 64 + [2]}}, b"\0" * 8),
        "tensor 'w' has 65 dimensions, at most 32",
    ),
    "half a million dimensions": (
        file({"w": {**W, "shape": [2**39] * 500_000}}),
        "tensor 'w' has 500,000 dimensions, at most 32",
    ),
    "one offset": (file({"w": {**W, "data_offsets": [0]}}), "a shape or a place"),
    "offsets of text": (file({"w": {**W, "data_offsets": "08"}}), "a shape or a place"),
    "another length": (file({"w": {**W, "shape": [3]}}, b"\0" * 8), "another length"),
    "a gap": (file({"w": {**W, "data_offsets": [4, 12]}}, b"\0" * 12), "no tensor, or to two"),
    "an overlap": (file({"v": W, "w": W}, b"\0" * 8), "no tensor, or to two"),
    "cut within the arrays": (encode(TENSORS)[:-1], "is cut off"),
    "bytes behind the arrays": (encode(TENSORS) + b"x", "goes on after"),
    "NaN": (file({"w": W}, NAN), "NaN or an infinity"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_is_none_is_refused_by_what_is_wrong(name):
    raw, said = BROKEN[name]
    with pytest.raises(Refusal) as caught:
        decode(raw, "update")
    assert str(caught.value).startswith("update: ")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("tensors", "said"),
    [
        ({"w": np.array([np.inf])}, "NaN or an infinity"),
        ({"w": np.array(["x"])}, "has no place in a file"),
        ({"w": np.array([1j])}, "has no place in a file"),
        ({"__metadata__": np.zeros(1)}, "has no place in a file"),
    ],
)
def test_what_such_a_file_does_not_hold_is_not_written(tensors, said):
    with pytest.raises(Refusal, match=said):
        encode(tensors)
