"""The gate: an update's typed shape passes, and nothing else does."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from activities import update_file
from domain.learning import tensor_file
from domain.learning.tensors import TensorSpec
from domain.learning.update import ClientUpdate, TimeRange, UpdateMetadata
from domain.refusal import Refusal

SCHEMA = (
    TensorSpec("b", "context_patterns", (2,)),
    TensorSpec("w/x", "reasoning_improvements", (1, 2), "float64"),
)
SEEN = TimeRange(datetime(2026, 11, 15, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC))
UPDATE = ClientUpdate(
    "ada",
    {},
    {"b": np.array([1, 2], "f4")},
    {"w/x": np.array([[0.5, -1.0]])},
    {},
    UpdateMetadata("none", 12, SEEN),
)
FIELDS = {
    name: getattr(UPDATE, name)
    for name in (
        "node_id",
        "personality_evolutions",
        "context_patterns",
        "reasoning_improvements",
        "user_interaction_patterns",
        "metadata",
    )
}


def said(call, *args):
    with pytest.raises(Refusal, match=r"^update[^\n]*$") as caught:
        call(*args)
    return str(caught.value)


def refiled(metadata=None, **tensors):
    """The file with other tensors, or other words in its header."""
    named, told = tensor_file.decode(update_file.encode(UPDATE, SCHEMA))
    return tensor_file.encode({**named, **tensors}, metadata or told)


def header(**change):
    told = json.loads(tensor_file.decode(update_file.encode(UPDATE, SCHEMA))[1]["update"])
    return {"update": json.dumps({**told, **change}, separators=(",", ":"), sort_keys=True)}


def test_an_update_comes_back_as_it_was_and_is_the_same_file_again():
    raw = update_file.encode(UPDATE, SCHEMA)
    read = update_file.decode(raw, SCHEMA)
    assert (read.node_id, read.metadata) == ("ada", UPDATE.metadata)
    assert read.context_patterns["b"].tolist() == [1, 2]
    assert read.reasoning_improvements["w/x"].tolist() == [[0.5, -1.0]]
    assert update_file.encode(read, SCHEMA) == raw
    assert update_file.together(read).keys() == {"b", "w/x"}
    assert update_file.shaped(FIELDS, SCHEMA) == UPDATE


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rows": [{"name": "Ada", "age": 36}]}, "has an unknown field 'rows', which may not leave the node"),
        ({"node_id": "../x"}, "update.node_id"),
        ({"context_patterns": [[1, 2], [3, 4]]}, "update.context_patterns: is no mapping of named tensors"),
        ({"context_patterns": {"b": [1.0, 2.0]}}, "'b' is no tensor"),
        (
            {"context_patterns": {"b": np.array([[1, 2], [3, 4]])}},
            "tensor 'b' is int64[2, 2], not float32[2]",
        ),
        ({"context_patterns": {}}, "has no tensor 'b'"),
        ({"personality_evolutions": {"x": np.zeros((500, 64))}}, "has an unknown tensor 'x'"),
        ({"context_patterns": {"b": np.zeros((500, 2), "f4")}}, "is float32[500, 2]"),
        ({"context_patterns": {"b": np.array([np.nan, 0], "f4")}}, "NaN"),
        ({"metadata": {"privacy_level": "none"}}, "is not the typed shape"),
        ({"metadata": replace(UPDATE.metadata, data_volume=-1)}, "no count of rows"),
        ({"metadata": replace(UPDATE.metadata, data_volume=1.5)}, "no count of rows"),
    ],
)
def test_a_raw_record_an_unknown_field_or_another_shape_is_refused_by_name(change, words):
    assert words in said(update_file.shaped, {**FIELDS, **change}, SCHEMA)


def test_a_missing_field_is_named():
    assert "has no field 'metadata'" in said(
        update_file.shaped, {name: one for name, one in FIELDS.items() if name != "metadata"}, SCHEMA
    )


def test_a_class_with_more_in_it_is_no_update():
    class More(ClientUpdate):
        rows = "raw"

    assert "typed shape" in said(update_file.check_update, More(**FIELDS), SCHEMA)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (refiled(**{"raw/records": np.zeros(2)}), "has an unknown section 'raw'"),
        (refiled(**{"context_patterns/c": np.zeros(2)}), "has an unknown tensor 'c'"),
        (refiled({**header(), "notes": "Ada, 36"}), "must have the metadata 'update' and no other"),
        (refiled(header(rows=[1, 2])), "metadata that is none of an update"),
        (refiled(header(metadata={"privacy_level": "none"})), "metadata that is none of an update"),
        (refiled({"update": header()["update"].replace(":12", ": 12")}), "not written canonically"),
        (
            refiled({"update": header()["update"].replace(":12", ':12,"age":36')}),
            "unknown field in its metadata",
        ),
        (refiled({"update": "{"}), "metadata that is none"),
        (tensor_file.encode({"context_patterns/b": np.arange(4).reshape(2, 2)}, header()), "is int64"),
    ],
)
def test_a_file_that_holds_more_than_an_update_is_refused(raw, words):
    assert words in said(update_file.decode, raw, SCHEMA)
