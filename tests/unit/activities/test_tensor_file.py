"""Arrays as files: the safetensors format, the same bytes every time, nothing that does not belong."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from activities import tensor_file
from domain.refusal import Refusal

TENSORS = {
    "b": np.arange(6, dtype="f4").reshape(2, 3),
    "a": np.array([1.5, -2]),
    "empty": np.zeros((0, 4), "f4"),
}


def with_header(header, data=b"", *, raw=None):
    head = raw if raw is not None else json.dumps(header).encode()
    return len(head).to_bytes(8, "little") + head + data


def entry(dtype="F32", shape=(1,), offsets=(0, 4), **more):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets), **more}


def test_what_is_written_is_read_again_by_us_and_by_safetensors():
    safetensors = pytest.importorskip("safetensors.numpy")
    raw = tensor_file.encode(TENSORS, {"k": "v"})
    ours, metadata = tensor_file.decode(raw)
    theirs = safetensors.load(raw)
    assert metadata == {"k": "v"}
    for name, array in TENSORS.items():
        assert np.array_equal(ours[name], array)
        assert np.array_equal(theirs[name], array)
        assert ours[name].dtype == array.dtype
    read, _ = tensor_file.decode(safetensors.save(TENSORS, {"k": "v"}))
    assert all(np.array_equal(read[name], TENSORS[name]) for name in TENSORS)


def test_the_order_of_names_changes_no_byte():
    assert tensor_file.encode(TENSORS) == tensor_file.encode(dict(reversed(TENSORS.items())))


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8).filter(
            lambda n: n != "__metadata__"
        ),
        arrays.arrays(
            st.sampled_from(["f4", "f8", "i8", "u1"]),
            arrays.array_shapes(min_dims=0, min_side=0, max_side=3),
            elements={"allow_nan": False, "allow_infinity": False},
        ),
        max_size=4,
    )
)
def test_any_rows_come_back_as_they_were(tensors):
    read, _ = tensor_file.decode(tensor_file.encode(tensors), dtypes=tensor_file.ROWS)
    assert read.keys() == tensors.keys()
    assert all(np.array_equal(read[name], tensors[name]) for name in tensors)
    assert all(read[name].shape == tensors[name].shape for name in tensors)


BROKEN = {
    "empty": (b"", "is not a safetensors file"),
    "cut": (tensor_file.encode(TENSORS)[:-1], "is cut off"),
    "longer": (tensor_file.encode(TENSORS) + b"x", "goes on after"),
    "a header too long": ((1 << 40).to_bytes(8, "little") + b"{}", "is not a safetensors file"),
    "no JSON": (with_header(None, raw=b"{{"), "is not JSON"),
    "a list": (with_header([]), "no header of named tensors"),
    "metadata of numbers": (with_header({"__metadata__": {"a": 1}}), "metadata that is not text"),
    "an unknown key": (with_header({"a": entry(rows=[1])}, b"0000"), "other things than dtype"),
    "no entry": (with_header({"a": 1}), "other things than dtype"),
    "whole numbers": (
        with_header({"a": entry("I64", offsets=(0, 8))}, b"0" * 8),
        "is int64, not float32 or float64",
    ),
    "no dtype": (with_header({"a": entry(5)}, b"0000"), "is of no type"),
    "an unknown dtype": (with_header({"a": entry("BF16")}, b"0000"), "is BF16"),
    "a negative shape": (with_header({"a": entry(shape=(-1,))}, b"0000"), "a shape or a place"),
    "a shape of fractions": (with_header({"a": entry(shape=(1.0,))}, b"0000"), "a shape or a place"),
    "another length": (with_header({"a": entry(offsets=(0, 8))}, b"0" * 8), "another length"),
    "one place twice": (with_header({"a": entry(), "b": entry()}, b"0000"), "no tensor, or to two"),
    "a gap": (with_header({"a": entry(offsets=(4, 8))}, b"0" * 8), "no tensor, or to two"),
    "NaN": (with_header({"a": entry()}, np.array([np.nan], "f4").tobytes()), "NaN or an infinity"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_is_none_is_refused_by_name(name):
    raw, said = BROKEN[name]
    with pytest.raises(Refusal) as caught:
        tensor_file.decode(raw, "update")
    assert str(caught.value).startswith("update: ")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("array", "said"),
    [(np.array([np.inf]), "NaN or an infinity"), (np.array(["x"]), "is str"), (np.array([1j]), "complex")],
)
def test_what_such_a_file_does_not_hold_is_not_written(array, said):
    with pytest.raises(Refusal, match=said):
        tensor_file.encode({"a": array})
