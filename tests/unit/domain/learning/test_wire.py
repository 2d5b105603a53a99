"""Which tensors travel, by what clients do."""

import numpy as np
import pytest

from domain.learning.tensors import TensorSpec
from domain.learning.wire import group_model, groups_of, model_schema, sent_schema

SCHEMA = (TensorSpec("b", "context_patterns", (1,)), TensorSpec("w", "reasoning_improvements", (2,)))
MODEL = {f"{group}.{spec.name}": np.full(spec.shape, group, "f4") for group in (10, 2) for spec in SCHEMA}


def test_an_update_holds_the_model_and_with_control_variates_those_too():
    assert sent_schema(SCHEMA, "epochs") == SCHEMA
    sent = sent_schema(SCHEMA, "control")
    assert [spec.name for spec in sent] == ["b", "control.b", "control.w", "w"]
    assert sent[2].section == "reasoning_improvements"


def test_a_clustered_model_has_its_tensors_for_each_group_in_the_order_of_numbers():
    assert model_schema(SCHEMA, "proximal", {}) == SCHEMA
    assert groups_of(SCHEMA, {**MODEL, "x.b": MODEL["2.b"]}) == ("2", "10")
    assert [spec.name for spec in model_schema(SCHEMA, "clustered", MODEL)] == ["10.b", "10.w", "2.b", "2.w"]
    assert group_model(SCHEMA, MODEL, "2")["w"].tolist() == [2, 2]
    with pytest.raises(KeyError):
        group_model(SCHEMA, MODEL, "3")
